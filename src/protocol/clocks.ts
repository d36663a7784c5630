/**
 * DESIGN 5: how far the clocks of controller and agent may differ. One rule in both directions, and one sentence, for
 * the agent that refuses, the controller that tells of it, and `kick doctor`.
 */
import { formatDuration } from '../util/duration.ts';
import { MAX_SKEW_S } from './request.ts';

/** From how many milliseconds on it is worth a word: half of what is refused. */
export const SKEW_WARNING_MS = MAX_SKEW_S * 500;

/** Whether requests are refused for it; milliseconds. */
export function isTooFar(differenceMs: number): boolean {
  return Math.abs(differenceMs) > MAX_SKEW_S * 1000;
}

/** `aheadMs`: its clock before ours. */
export function clockWords(aheadMs: number): string {
  return `its clock is ${formatDuration(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} ours`;
}

export const CLOCK_RULE = 'requests are refused when the clocks differ by more than a minute';
