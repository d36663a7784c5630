/** DESIGN 4, "Stopping": TERM to Puppet, a grace, KILL for what is left of those that were noted. */
import { type Clock, sleep } from '../../util/clock.ts';
import { descendants, isAlive, type ProcessId, signalProcess } from '../../util/proc.ts';

const POLL_MS = 50;

export interface StopOptions {
  clock: Clock;
  /** Milliseconds between TERM and KILL. */
  graceMs: number;
}

/**
 * Ends a process and what it has started; resolves when they are gone or were killed. What init has
 * adopted in the meantime (services that the run started) is never touched, unless it was a
 * descendant when the stop began. The caller has written down the intention before.
 */
export async function stopProcess(target: ProcessId, { clock, graceMs }: StopOptions): Promise<void> {
  if (!isAlive(target)) return;
  const noted = descendants(target.pid);
  signalProcess(target, 'SIGTERM');
  const killAt = clock.monotonic() + graceMs;
  while (clock.monotonic() < killAt) {
    if (![target, ...noted].some(isAlive)) return;
    await sleep(POLL_MS);
  }
  // What it has begun since is still its child: to be noted before it dies.
  const late = isAlive(target) ? descendants(target.pid) : [];
  for (const one of [target, ...late, ...noted]) signalProcess(one, 'SIGKILL');
}
