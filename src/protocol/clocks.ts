/**
 * DESIGN 5: how far the clocks of controller and agent may differ. One rule and one wording, in both directions, for the
 * agent's refusal, the controller's report, and `kick doctor`.
 */
import { formatDuration } from '../util/duration.ts';
import { MAX_SKEW_S } from './request.ts';

/** Milliseconds above which a difference is reported: half of what is refused. */
export const SKEW_WARNING_MS = MAX_SKEW_S * 500;

/** Whether requests are refused for a difference of this many milliseconds. */
export function isTooFar(differenceMs: number): boolean {
  return Math.abs(differenceMs) > MAX_SKEW_S * 1000;
}

/** `aheadMs`: by how much its clock is ahead of ours. */
export function clockWords(aheadMs: number): string {
  return `its clock is ${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`;
}

export const CLOCK_RULE = 'requests are refused when the clocks differ by more than a minute';
