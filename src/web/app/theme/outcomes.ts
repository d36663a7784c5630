/** How outcomes look, in the order of their bar: what is well first, then what went wrong, then what did not happen. */
import type { Outcome } from '../../../protocol/outcome.ts';

export type Tone = 'ok' | 'changed' | 'noop' | 'failed' | 'missing' | 'held' | 'open' | 'live';

export const TONES: Readonly<Record<Outcome, Tone>> = {
  unchanged: 'ok',
  changed: 'changed',
  'would-change': 'noop',
  failed: 'failed',
  stale: 'failed',
  interrupted: 'failed',
  'timed-out': 'failed',
  unreachable: 'missing',
  refused: 'missing',
  lost: 'missing',
  disabled: 'held',
  busy: 'held',
  unfinished: 'held',
  'not-started': 'held',
  cancelled: 'held',
};

export const OUTCOMES = Object.keys(TONES) as Outcome[];

/** Outcomes of hosts that did not do as asked. */
export const NOT_DONE = OUTCOMES.filter((one) => !['ok', 'changed', 'noop'].includes(TONES[one]));

export function toneOf(outcome: string | undefined): Tone {
  return outcome !== undefined && Object.hasOwn(TONES, outcome) ? TONES[outcome as Outcome] : 'open';
}
