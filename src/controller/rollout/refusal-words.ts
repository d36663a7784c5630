/** A refusal as a sentence for people. */
import { CLOCK_RULE, clockWords, isTooFar } from '../../protocol/clocks.ts';
import { nextStep, REFUSALS, type RefusalBody } from '../../protocol/refusal.ts';

/** Milliseconds; smaller differences are network latency. */
const NO_DIFFERENCE_MS = 2000;

/** `now`: our clock when the refusal came, in milliseconds since 1970. */
export function refusalWords({ code, time, version }: RefusalBody, now: number): string {
  const { means } = REFUSALS[code];
  const aheadMs = time === undefined ? 0 : time * 1000 - now;
  // Whatever its code: older agents answer `expired` when our clock is behind theirs.
  if (isTooFar(aheadMs)) return `${clockWords(aheadMs)}: ${CLOCK_RULE}`;
  const about = [
    ...(Math.abs(aheadMs) < NO_DIFFERENCE_MS ? [] : [clockWords(aheadMs)]),
    ...(version === undefined ? [] : [`it runs kick ${version}`]),
  ];
  return about.length > 0 ? `${means} (${about.join(', ')})` : means;
}

/** The same on one line, with the code and what to do about it. */
export function refusalLine(refusal: RefusalBody, now: number): string {
  const { code } = refusal;
  const next = nextStep(refusal);
  return `${code}: ${refusalWords(refusal, now)}${next === undefined ? '' : `; ${next}`}`;
}
