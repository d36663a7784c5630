/** Whose the folders are that `kick` on the command line and `kick serve` share (DESIGN 8, "Shared with kick serve"). */
import { chownSync, lstatSync, mkdirSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { KickError } from '../errors.ts';
import { type Account, accounts } from './accounts.ts';
import { shellWord } from './distrust.ts';
import { trustedPath } from './trusted-path.ts';

/** What a controller keeps in its state directory. */
const SHARED = ['jobs', 'locks', 'web'] as const;

interface Found {
  path: string;
  stat: Stats | undefined;
}

/**
 * The user to whom the controller's folders in a state directory of root's belong, or undefined if that is root. Makes
 * those that are missing. Throws `KickError` `untrusted` for any other arrangement: a way to them that others can change,
 * folders that others can write, or owners that differ.
 */
export function stateOwner(stateDir: string): Account | undefined {
  const doing = `use the state directory "${stateDir}"`;
  const { path, stat } = trustedPath(stateDir, { doing });
  if (stat === undefined) return undefined;
  const found: Found[] = SHARED.map((name) => ({
    path: join(path, name),
    stat: lstatSync(join(path, name), { throwIfNoEntry: false }),
  }));
  const others = new Set(found.flatMap((one) => (one.stat === undefined ? [] : [one.stat.uid])));
  const [uid, ...rest] = others;
  if (uid === undefined || (uid === 0 && rest.length === 0)) return undefined;
  const refuse = (why: string, hint: string): never => {
    throw new KickError('untrusted', `${doing}: ${why}`, { hint });
  };
  const owner = accounts().find((one) => one.uid === [...others].find((other) => other !== 0));
  const all = found.map((one) => shellWord(one.path)).join(' ');
  if (owner === undefined) {
    return refuse('its folders belong to a user that is not in /etc/passwd', `chown -R root ${all}`);
  }
  if (rest.length > 0) {
    refuse('some of its folders belong to another user than the others', `chown -R ${owner.name}: ${all}`);
  }
  for (const one of found) refuseOpen(one, refuse);
  makeMissing(found, owner);
  return owner;
}

function refuseOpen({ path, stat }: Found, refuse: (why: string, hint: string) => never): void {
  if (stat === undefined) return;
  if (!stat.isDirectory()) refuse(`"${path}" is no folder`, 'find out who made it, then remove it');
  if ((stat.mode & 0o022) !== 0) {
    refuse(`"${path}" can be written by others than its owner`, `chmod 0700 ${shellWord(path)}`);
  }
}

/** In a folder that nobody but root can change, so that nothing can come between. */
function makeMissing(found: readonly Found[], { uid, gid }: Account): void {
  for (const { path, stat } of found) {
    if (stat !== undefined) continue;
    mkdirSync(path, { mode: 0o700 });
    chownSync(path, uid, gid);
  }
}
