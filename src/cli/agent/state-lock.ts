/** One agent per state directory, by a kernel lock and a record of its holder. */
import { layoutOf, prepareFolders } from '../../agent/layout.ts';
import { KickError } from '../../errors.ts';
import { systemClock } from '../../util/clock.ts';
import { holdKernelLock, type KernelLock } from '../../util/kernel-lock.ts';
import { lockHolder, noteHolder } from '../../util/lock-file.ts';

export interface StateFolders {
  stateDir: string;
  runDir: string;
}

/**
 * The kernel's lock decides: an agent that is stopped, or hangs on its disk, still holds it, and its runs are not lost.
 * (proper-lockfile would let a second agent in after a minute.) Throws `KickError` `locked` or `state`.
 */
export async function lockState({ stateDir, runDir }: StateFolders): Promise<KernelLock> {
  await prepareFolders(stateDir, runDir);
  const { agentLock, agentFlock } = layoutOf(stateDir, runDir);
  const label = `state directory "${stateDir}"`;
  const holder = async () => (await lockHolder(agentLock, systemClock)) ?? 'another process';
  const lock = await holdKernelLock(agentFlock, { label, holder });
  // An earlier version of kick takes no kernel lock.
  const other = await lockHolder(agentLock, systemClock);
  if (other !== undefined) throw new KickError('locked', `take the ${label}: it is held by ${other}`);
  await noteHolder(agentLock, systemClock);
  return lock;
}
