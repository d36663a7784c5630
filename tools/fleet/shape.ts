/** What simulated runs are like: how long they take, how they end, what they print. The same seed makes the same fleet. */
import { KickError } from '../../src/errors.ts';
import { parseDuration } from '../../src/util/duration.ts';

export const ENDINGS = [
  'unchanged',
  'changed',
  'would-change',
  'failed',
  'stale',
  'interrupted',
  'timed-out',
] as const;
export type Ending = (typeof ENDINGS)[number];

export type Times =
  | { kind: 'fixed'; ms: number }
  | { kind: 'between'; from: number; to: number }
  /** Exponential: most are short, a few are long. */
  | { kind: 'about'; mean: number };

export interface Shape {
  times: Times;
  /** Weights. */
  outcomes: readonly (readonly [Ending, number])[];
  /** Lines that a run prints, spread over its time. */
  logLines: number;
  /** Runs tell what they changed and from which catalog, noop changes nothing, and hosts can be disabled. */
  isTold?: true;
  seed: number;
}

/** `1s`, `500ms-3s`, `~2s`. Throws `KickError` `usage`. */
export function parseTimes(text: string): Times {
  if (text.startsWith('~')) return { kind: 'about', mean: parseDuration(text.slice(1), '--time') };
  const [from = '', to, ...rest] = text.split('-');
  if (to === undefined) return { kind: 'fixed', ms: parseDuration(from, '--time') };
  const [low, high] = [parseDuration(from, '--time'), parseDuration(to, '--time')];
  if (rest.length > 0 || high < low) {
    throw new KickError('usage', `--time: "${text}" is not a range`, { hint: 'write it like 500ms-3s' });
  }
  return { kind: 'between', from: low, to: high };
}

/** `changed=10,unchanged=85,failed=5`. Throws `KickError` `usage`. */
export function parseOutcomes(text: string): Shape['outcomes'] {
  const outcomes = text.split(',').map((part) => {
    const [name = '', weight = '1', ...rest] = part.split('=');
    const ending = ENDINGS.find((one) => one === name);
    if (ending === undefined || rest.length > 0 || !/^\d{1,9}(\.\d{1,9})?$/.test(weight)) {
      throw new KickError('usage', `--outcomes: "${part}" is not an outcome with its weight`, {
        hint: `write it like unchanged=90,failed=10; there are ${ENDINGS.join(', ')}`,
      });
    }
    return [ending, Number(weight)] as const;
  });
  if (outcomes.every(([, weight]) => weight === 0)) {
    throw new KickError('usage', `--outcomes: "${text}" gives every outcome the weight 0`);
  }
  return outcomes;
}

export type Random = () => number;

/** Numbers from 0 to 1 that follow from a seed (mulberry32); good enough to shuffle, not to keep secrets. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Milliseconds. */
export function drawTime(times: Times, random: Random): number {
  switch (times.kind) {
    case 'fixed':
      return times.ms;
    case 'between':
      return times.from + random() * (times.to - times.from);
    case 'about':
      return -Math.log(1 - random()) * times.mean;
  }
}

export function drawOutcome(outcomes: Shape['outcomes'], random: Random): Ending {
  const total = outcomes.reduce((sum, [, weight]) => sum + weight, 0);
  let left = random() * total;
  for (const [ending, weight] of outcomes) {
    left -= weight;
    if (left < 0) return ending;
  }
  return outcomes.at(-1)?.[0] ?? 'unchanged';
}
