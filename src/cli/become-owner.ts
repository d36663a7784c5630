/**
 * Root's `kick` beside a `kick serve` that runs as another user: it works as that user from the moment on at which it
 * touches the jobs. Root would have to write in folders that the other can change under its hands (DESIGN 8).
 */
import { KickError } from '../errors.ts';
import { groupsOf, userName } from '../util/accounts.ts';
import { stateOwner } from '../util/state-owner.ts';
import { noteSelf } from './who.ts';

/** For good: nothing of this process is root's afterwards. Throws `KickError` `untrusted`, also for who is not root. */
export function becomeOwner(stateDir: string, found: number): void {
  if (process.getuid?.() !== 0) throw notRoot(stateDir, userName(found) ?? String(found));
  const owner = stateOwner(stateDir);
  if (owner === undefined) return;
  const { name, uid, gid } = owner;
  refuseOldNode(process.versions.node);
  // Agents are told who asked.
  noteSelf();
  process.setgroups?.([gid, ...groupsOf(name)]);
  process.setgid?.(gid);
  process.setuid?.(uid);
}

function notRoot(stateDir: string, name: string): KickError {
  return new KickError('untrusted', `use the state directory "${stateDir}": its jobs belong to ${name}`, {
    hint: 'run as root: sudo kick …',
  });
}

/** Node before 20.11.1 writes files by the kernel's io_uring, which goes on as root (CVE-2024-22017). */
function refuseOldNode(version: string): void {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const isOld = major === 20 && (minor < 11 || (minor === 11 && patch < 1));
  if (!isOld) return;
  throw new KickError('config', `work as another user: Node ${version} cannot give up root's rights wholly`, {
    hint: 'use Node 20.11.1 or newer',
  });
}
