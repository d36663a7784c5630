/** Random numbers that a seed makes again. */
import { randomFrom } from '../../../src/cli/demo/run-shape.ts';

export interface Dice {
  /** A whole number below `sides`. */
  roll(sides: number): number;
  /** Whether it happens, once in `times`. */
  once(times: number): boolean;
  pick<T>(from: readonly T[]): T;
  bytes(length: number): Buffer;
}

/** The dice of one input: of what it is an input of, of which run, and which of its inputs. */
export function diceOf(name: string, seed: number, at: number): Dice {
  const next = randomFrom(Math.imul(seed ^ hash(name), 0x9e37_79b1) ^ Math.imul(at + 1, 0x85eb_ca6b));
  const roll = (sides: number) => Math.floor(next() * sides);
  return {
    roll,
    once: (times) => roll(times) === 0,
    pick<T>(from: readonly T[]): T {
      if (from.length === 0) throw new Error('nothing to pick from');
      return from[roll(from.length)] as T;
    },
    bytes: (length) => Buffer.from(Array.from({ length }, () => roll(256))),
  };
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x0100_0193);
  return value;
}
