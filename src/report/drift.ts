/** Drift, in words. */
import { type DriftFacts, driftOf } from '../controller/fleet/drift.ts';

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
