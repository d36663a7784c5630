/** DESIGN 4, "Stopping": TERM to Puppet, a grace period, KILL for what is left of the noted processes. */
import { type Clock, sleep } from '../../util/clock.ts';
import { descendants, isAlive, type ProcessId, signalProcess } from '../../util/proc.ts';

const POLL_MS = 50;

export interface StopOptions {
  clock: Clock;
  /** Milliseconds between TERM and KILL. */
  graceMs: number;
}

/**
 * Ends a process and its descendants; resolves once they are gone or were killed. Processes that init has
 * adopted (services that the run started) are never touched, unless they were descendants when the stop
 * began. The caller has stored the intention before.
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
  // What it has started since is still its child, and must be noted before it dies.
  const late = isAlive(target) ? descendants(target.pid) : [];
  for (const one of [target, ...late, ...noted]) signalProcess(one, 'SIGKILL');
}
