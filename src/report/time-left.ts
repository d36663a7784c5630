/** When a job will be over, and whether that can be known. */
import type { Progress } from './progress.ts';

export type TimeLeft =
  | { ms: number }
  /** Too few hosts have ended; the operator will be asked; what is left waits, or takes longer than all others did. */
  | { unknown: 'early' | 'operator' | 'waiting' | 'slow' };

/** Hosts that must have ended. */
const LEAST_ENDED = 5;

/**
 * As fast as until now, and a host under way counts as half done: that takes canaries, bounds of groups and back-pressure as
 * they were. Once the last host has started it is how long hosts take. Undefined for a job so small that it is never known.
 */
export function timeLeft(progress: Progress, now: number): TimeLeft | undefined {
  const { job, startedAt, pace, hosts, batch, isStopping } = progress;
  if (job === undefined || job.targets.length <= LEAST_ENDED) return undefined;
  const { ended, workedMs, underWay, youngestMs } = pace.now(now);
  const waiting = hosts.waiting.size;
  const toStart = isStopping ? 0 : startsLeft(progress);
  const batchesLeft = isStopping || batch === undefined ? 0 : batch.of - batch.number;
  if (batchesLeft > 0 && job.rollout?.confirm === true) return { unknown: 'operator' };
  // Those that end first are the fastest: they say little of the others.
  if (ended < LEAST_ENDED || ended < underWay + waiting) return { unknown: 'early' };
  const each = workedMs / ended;
  if (toStart > 0) {
    const pauses = pausesOf(progress, { batchesLeft, now });
    const everyMs = Math.max(0, now - startedAt - pauses.past) / ended;
    return { ms: Math.max(each, (toStart + waiting + underWay / 2) * everyMs) + pauses.left };
  }
  if (underWay === 0) return { unknown: 'waiting' };
  return youngestMs < each ? { ms: each - youngestMs } : { unknown: 'slow' };
}

/** Hosts that have not been asked yet. */
export function startsLeft({ job, done, hosts }: Progress): number {
  const underWay = hosts.asked.size + hosts.waiting.size + hosts.running.size;
  return Math.max(0, (job?.targets.length ?? 0) - done - underWay);
}

/** Milliseconds between batches, that are over and that are to come. */
function pausesOf(
  { job, pausedUntil, pausedMs }: Progress,
  { batchesLeft, now }: { batchesLeft: number; now: number },
): { past: number; left: number } {
  const rest = pausedUntil === undefined ? 0 : Math.max(0, pausedUntil - now);
  const whole = Math.max(0, pausedUntil === undefined ? batchesLeft : batchesLeft - 1);
  return { past: pausedMs - rest, left: rest + whole * (job?.rollout?.pauseMs ?? 0) };
}
