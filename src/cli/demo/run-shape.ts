/** What simulated runs are like: how long they take, how they end, what they print. The same seed makes the same runs. */
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
