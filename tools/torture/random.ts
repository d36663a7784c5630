/** Draws from numbers that a seed makes again, so that a failure can be repeated. */
import type { Random } from '../../src/cli/demo/run-shape.ts';

/** Milliseconds or whatever else: a whole number, both ends included. */
export const between = (random: Random, least: number, most: number) =>
  least + Math.floor(random() * (most - least + 1));

/** Throws for an empty list. */
export function oneOf<T>(random: Random, list: readonly T[]): T {
  const found = list[Math.floor(random() * list.length)];
  if (found === undefined) throw new Error('nothing to choose from');
  return found;
}
