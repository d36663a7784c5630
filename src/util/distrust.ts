/** Why a file, folder or link is not trusted, and what to type to change that. */
import type { Stats } from 'node:fs';
import { KickError } from '../errors.ts';
import { groupName, userName } from './accounts.ts';
import type { Owners } from './trusted-owners.ts';

/** Who else can write; `named`: users or groups in an ACL; `unclear`: whether there is an ACL cannot be told. */
export type Writers = 'everybody' | 'group' | 'named' | 'unclear';

export type Flaw =
  | { kind: 'owner' }
  | { kind: 'writers'; writers: Writers }
  /** It lies directly in a folder to which everybody can add files. */
  | { kind: 'shared'; folder: string };

export interface Suspect {
  path: string;
  stat: Stats;
  flaw: Flaw;
  owners: Owners;
}

/** The error that refuses it; `doing`: what it was to be used for. */
export function distrust(doing: string, suspect: Suspect): KickError {
  return new KickError('untrusted', `${doing}: ${complaint(suspect)}`, { hint: remedy(suspect) });
}

function complaint({ path, stat, flaw }: Suspect): string {
  const what = stat.isSymbolicLink() ? 'the link ' : '';
  const about = `${what}"${path}" (${described(stat)})`;
  switch (flaw.kind) {
    case 'owner':
      return `${about} belongs to another user, who can change it`;
    case 'shared':
      return `${about} lies in "${flaw.folder}", to which others can add files`;
    case 'writers':
      return `${about} can be written by others${WAYS[flaw.writers]}`;
  }
}

const WAYS: Readonly<Record<Writers, string>> = {
  everybody: '',
  group: ': by its group',
  named: ': by users or groups in its ACL',
  unclear: ", unless it has no ACL, which 'ls' and 'getfacl' could not tell",
};

/** `owner bob, group users, mode 0775`; a link has no mode of its own. */
function described(stat: Stats): string {
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
  const owner = `owner ${userName(stat.uid) ?? stat.uid}`;
  if (stat.isSymbolicLink()) return owner;
  return `${owner}, group ${groupName(stat.gid) ?? stat.gid}, mode ${mode}`;
}

function remedy({ path, stat, flaw, owners }: Suspect): string {
  const name = shellWord(path);
  if (flaw.kind === 'shared') {
    return `keep it in a folder of its own: install -d -m 0755 -o ${owners.rightful} FOLDER`;
  }
  if (stat.isDirectory() && (stat.mode & 0o1000) !== 0 && flaw.kind === 'writers') {
    return `use a folder of its own: install -d -m 0755 -o ${owners.rightful} ${shellWord(`${path}/NAME`)}`;
  }
  if (stat.isSymbolicLink()) return `chown -h ${owners.rightful} ${name}`;
  const chmod = (stat.mode & 0o022) === 0 ? '' : `chmod ${writeBits(stat.mode)}-w ${name}`;
  if (flaw.kind === 'writers') return chmod;
  const chown = `chown ${owners.rightful} ${name}`;
  const both = chmod === '' ? chown : `${chown} && ${chmod}`;
  return stat.isDirectory() ? `${both}; or keep what is in it elsewhere` : both;
}

/** `g`, `o` or `go`. */
function writeBits(mode: number): string {
  return `${(mode & 0o020) === 0 ? '' : 'g'}${(mode & 0o002) === 0 ? '' : 'o'}`;
}

/** A path as one word of a command. */
export function shellWord(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
