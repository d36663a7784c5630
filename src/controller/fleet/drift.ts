/** Drift: what somebody else had changed, and what the run made of it. */
import type { Drift } from '../../protocol/event.ts';

export interface DriftFacts {
  correctiveChange?: boolean | undefined;
  /** Absent: an older agent, which told no more than that there was some. */
  drift?: Drift | undefined;
  noop?: boolean | undefined;
}

/** Undefined where there was none. `isFailed`: of the run. */
export function driftOf(facts: DriftFacts, isFailed: boolean): Drift | undefined {
  if (facts.correctiveChange !== true) return undefined;
  return facts.drift ?? (facts.noop === true || isFailed ? 'found' : 'repaired');
}
