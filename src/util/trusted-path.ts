/**
 * DESIGN 8, "Who may change them": whether a path leads only over what root, the user that kick runs as, or, for its own
 * files, Puppet can change. Each hop is looked at from the top: once a folder belongs to somebody trusted, only they can
 * change what it holds, so that nothing that was looked at can be exchanged afterwards.
 */
import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { KickError } from '../errors.ts';
import { namedWriters } from './access-list.ts';
import { distrust, type Flaw, type Writers } from './distrust.ts';
import { type Owners, trustedOwners } from './trusted-owners.ts';

export interface TrustOptions {
  /** What it is for, in the error: `read the inventory "/etc/kick/inventory.yaml"`. */
  doing: string;
  /** Whether Puppet's own user is trusted as well; defaults to false. */
  isPuppets?: boolean;
}

export interface TrustedPath {
  /** Where it leads, without links. */
  path: string;
  /** The same, but for links that keep its name: programs are known by the name they are called by. */
  named: string;
  /** Of `path`; undefined: there is nothing. */
  stat: Stats | undefined;
}

/** As the kernel's (path_resolution(7)). */
const MAX_LINKS = 40;

/**
 * Follows a path to its end, or to where it ends. Throws `KickError` `untrusted`, naming the first hop that others own or
 * can write, and the system's error if the way cannot be followed.
 */
export function trustedPath(path: string, options: TrustOptions): TrustedPath {
  const judging = judgingOf(options);
  const rest = namesIn(resolve(path));
  let at = root(judging);
  let named = at.path;
  let links = 0;
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (!at.stat.isDirectory()) throw systemError('ENOTDIR', at.path);
    const next = join(at.path, name); // "..": `at.path` has no links, so it is the folder above
    if (rest.length === 0 && name === basename(path)) named = next;
    const stat = lstatSync(next, { throwIfNoEntry: false });
    if (stat === undefined) {
      const end = join(next, ...rest);
      return { path: end, named: end, stat: undefined };
    }
    const hop = judged({ path: next, stat }, { ...judging, above: name === '..' ? undefined : at });
    if (!stat.isSymbolicLink()) {
      at = hop;
      continue;
    }
    if (++links > MAX_LINKS) throw systemError('ELOOP', path);
    const target = readlinkSync(next);
    rest.unshift(...namesIn(target));
    if (target.startsWith('/')) at = root(judging);
  }
  // A folder at the end of a path holds what is believed: nobody else may add to it.
  if (isSticky(at)) refuseFlawed(at, judging);
  return { path: at.path, named, stat: at.stat };
}

/** Throws `KickError` `untrusted` if others can change what a path leads to. A path that cannot be followed is left to its user. */
export function refuseUntrusted(path: string, options: TrustOptions): void {
  try {
    trustedPath(path, options);
  } catch (error) {
    if (error instanceof KickError) throw error;
  }
}

/** The same for something that is open, so that nobody can have exchanged it. */
export function refuseUntrustedFile(path: string, stat: Stats, options: TrustOptions): void {
  refuseFlawed({ path, stat }, judgingOf(options));
}

interface Hop {
  path: string;
  stat: Stats;
}

interface Judging {
  doing: string;
  owners: Owners;
}

function judgingOf({ doing, isPuppets = false }: TrustOptions): Judging {
  return { doing, owners: trustedOwners({ isPuppets }) };
}

const root = (judging: Judging) => judged({ path: '/', stat: lstatSync('/') }, judging);

const isSticky = ({ stat }: Hop) => stat.isDirectory() && (stat.mode & 0o1000) !== 0;

/** Returns the hop if it is trusted; `above`: the folder that it lies in. */
function judged(hop: Hop, { doing, owners, above }: Judging & { above?: Hop | undefined }): Hop {
  const flaw = flawOf(hop, owners) ?? sharedFlaw(hop, above, owners);
  // Others cannot rename or remove what is not theirs in a sticky folder: what it holds is judged by itself.
  if (flaw === undefined || (flaw.kind === 'writers' && isSticky(hop))) return hop;
  throw distrust(doing, { ...hop, flaw, owners });
}

function refuseFlawed(hop: Hop, { doing, owners }: Judging): void {
  const flaw = flawOf(hop, owners);
  if (flaw !== undefined) throw distrust(doing, { ...hop, flaw, owners });
}

/**
 * Of what lies directly in a sticky folder only folders are trusted: a file or a link of root's can have been moved there
 * from a folder of its mover's, a folder cannot (rename(2): its ".." would have to be written).
 */
function sharedFlaw({ stat }: Hop, above: Hop | undefined, owners: Owners): Flaw | undefined {
  if (above === undefined || !isSticky(above) || stat.isDirectory()) return undefined;
  return writersOf(above, owners) === undefined ? undefined : { kind: 'shared', folder: above.path };
}

function flawOf({ path, stat }: Hop, owners: Owners): Flaw | undefined {
  if (!owners.trustsUser(stat.uid)) return { kind: 'owner' };
  if (stat.isSymbolicLink()) return undefined;
  const writers = writersOf({ path, stat }, owners);
  return writers === undefined ? undefined : { kind: 'writers', writers };
}

/** Starts a program only for what a trusted group can write. */
function writersOf({ path, stat }: Hop, owners: Owners): Writers | undefined {
  const { mode, gid } = stat;
  if ((mode & 0o002) !== 0) return 'everybody';
  if ((mode & 0o020) === 0) return undefined;
  if (!owners.trustsGroup(gid)) return 'group';
  const named = namedWriters(path, stat);
  if (named === undefined) return 'unclear';
  return named.users.every(owners.trustsUser) && named.groups.every(owners.trustsGroup) ? undefined : 'named';
}

function namesIn(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

const SYSTEM_ERRORS = {
  ENOENT: 'no such file or directory',
  ENOTDIR: 'not a directory',
  ELOOP: 'too many symbolic links encountered',
};

/** As Node makes it of the kernel's. */
export function systemError(code: keyof typeof SYSTEM_ERRORS, path: string): Error {
  return Object.assign(new Error(`${code}: ${SYSTEM_ERRORS[code]}, open '${path}'`), { code });
}
