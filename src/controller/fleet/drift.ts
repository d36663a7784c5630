/** Drift: what something other than Puppet had changed, and what the run did about it. */
import type { Drift } from '../../protocol/event.ts';

export interface DriftFacts {
  correctiveChange?: boolean | undefined;
  /** Absent: an older agent, which only reported that there was some. */
  drift?: Drift | undefined;
  noop?: boolean | undefined;
}

/** Undefined if there was none. `isFailed`: whether the run failed. */
export function driftOf(facts: DriftFacts, isFailed: boolean): Drift | undefined {
  if (facts.correctiveChange !== true) return undefined;
  return facts.drift ?? (facts.noop === true || isFailed ? 'found' : 'repaired');
}
