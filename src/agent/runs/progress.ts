import type { Holder } from '../../protocol/event.ts';
import { formatDuration } from '../../util/duration.ts';
import type { LiveRun } from './live-run.ts';

/** Whether a run seems to be stuck. `now`: milliseconds since 1970; `stuckAfterMs`: milliseconds without output. */
export function progressOf(
  live: Pick<LiveRun, 'progressAt' | 'overLimitMs'>,
  { now, stuckAfterMs }: { now: number; stuckAfterMs: number },
): Pick<Holder, 'progressAt' | 'stuck'> {
  const progressAt = live.progressAt();
  const silentMs = now - progressAt;
  const overMs = live.overLimitMs();
  const stuck =
    overMs > 0
      ? `over its time limit by ${formatDuration(overMs)}`
      : silentMs > stuckAfterMs
        ? `it has printed nothing for ${formatDuration(silentMs)}`
        : undefined;
  return { progressAt, ...(stuck !== undefined && { stuck }) };
}
