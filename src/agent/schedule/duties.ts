/** Things that an agent does at regular intervals. Failures are logged, and retried at the next interval. */
import { messageOf } from '../../errors.ts';
import type { Log } from '../../util/log.ts';

export interface Duty {
  what: string;
  everyMs: number;
  work(): Promise<void>;
}

/** Starts the duties, each after its first interval; returns a function that stops them. A duty never overlaps itself. */
export function startDuties(duties: readonly Duty[], log: Log): () => void {
  const timers = duties.map(({ what, everyMs, work }) => {
    let isBusy = false;
    const timer = setInterval(() => {
      if (isBusy) return;
      isBusy = true;
      work()
        .catch((error: unknown) => log.error({ error: messageOf(error) }, `cannot ${what}`))
        .finally(() => {
          isBusy = false;
        });
    }, everyMs);
    timer.unref();
    return timer;
  });
  return () => timers.forEach(clearInterval);
}
