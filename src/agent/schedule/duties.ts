/** What an agent does every so often by itself. One that fails is told of and tried again at its next time. */
import { messageOf } from '../../errors.ts';
import type { Log } from '../../util/log.ts';

export interface Duty {
  what: string;
  everyMs: number;
  work(): Promise<void>;
}

/** Begins them, each for the first time after its interval; gives what ends them. Two of a kind never overlap. */
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
