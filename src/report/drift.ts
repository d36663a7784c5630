/** Drift, in words: what somebody else had changed, and what the run made of it. */
import type { Drift } from '../protocol/event.ts';

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

/** Empty where there was none. */
export function driftWords(facts: DriftFacts, isFailed: boolean): string {
  switch (driftOf(facts, isFailed)) {
    case undefined:
      return '';
    case 'repaired':
      return 'drift repaired';
    case 'partly':
      return 'drift repaired in part';
    case 'found':
      return facts.noop === true ? 'drift found' : 'drift found, not repaired';
  }
}
