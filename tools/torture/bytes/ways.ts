/** What may become of a single byte of a file. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Random } from '../../../src/cli/demo/run-shape.ts';
import { between } from '../random.ts';

type Way = (bytes: Buffer, at: number, random: Random) => Buffer;

const other = (change: (byte: number, random: Random) => number): Way => {
  return (bytes, at, random) => {
    const copy = Buffer.from(bytes);
    copy[at] = change(bytes[at] ?? 0, random) & 0xff;
    return copy;
  };
};

/** By name. A cut and zeros are what a power cut leaves of a file that was being written. */
export const WAYS = {
  'a bit flipped': other((byte, random) => byte ^ (1 << between(random, 0, 7))),
  'another byte': other((byte, random) => byte + between(random, 1, 255)),
  'another digit or letter': other((byte, random) =>
    byte >= 0x30 && byte <= 0x39
      ? 0x30 + ((byte - 0x30 + between(random, 1, 9)) % 10)
      : 0x61 + ((byte - 0x61 + between(random, 1, 25)) % 26),
  ),
  'cut off': (bytes, at) => bytes.subarray(0, at),
  'zeros from here': (bytes, at) => Buffer.concat([bytes.subarray(0, at), Buffer.alloc(bytes.length - at)]),
  lost: (bytes, at) => Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]),
  twice: (bytes, at) => Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]),
} as const satisfies Readonly<Record<string, Way>>;

export type WayName = keyof typeof WAYS;

export const WAY_NAMES = Object.keys(WAYS) as WayName[];

/** A byte of a file, and what becomes of it. */
export interface Spot {
  file: string;
  at: number;
  way: WayName;
}

/** Each byte of files of these lengths in each way, in an order that the seed gives; then the same again, for ever. */
export function* spots(
  lengths: Readonly<Record<string, number>>,
  random: Random,
): Generator<Spot, never, void> {
  const all = Object.entries(lengths).flatMap(([file, length]) =>
    Array.from({ length }, (_, at) => WAY_NAMES.map((way): Spot => ({ file, at, way }))).flat(),
  );
  if (all.length === 0) throw new Error('there is no byte to damage');
  for (;;) {
    // Fisher and Yates.
    for (let last = all.length - 1; last > 0; last--) {
      const index = between(random, 0, last);
      const [a, b] = [all[last], all[index]];
      if (a !== undefined && b !== undefined) [all[last], all[index]] = [b, a];
    }
    yield* all;
  }
}

export function changed(bytes: Buffer, { at, way }: Omit<Spot, 'file'>, random: Random): Buffer {
  return WAYS[way](bytes, Math.min(at, bytes.length - 1), random);
}

/** Returns false if that changes nothing, such as a cut at the end. */
export function damage(path: string, spot: Omit<Spot, 'file'>, random: Random): boolean {
  const bytes = readFileSync(path);
  const damaged = changed(bytes, spot, random);
  if (damaged.equals(bytes)) return false;
  writeFileSync(path, damaged);
  return true;
}

/** One byte of each file that there is only one of. Returns their names. */
export function damageSingles(
  { folder, singles }: { folder: string; singles: readonly string[] },
  order: Generator<Spot, never, void>,
  random: Random,
): string[] {
  const left = new Set(singles);
  const damaged: string[] = [];
  for (let tries = 0; left.size > 0 && tries < 1000; tries++) {
    const spot = order.next().value;
    if (!left.delete(spot.file)) continue;
    if (damage(join(folder, spot.file), spot, random)) damaged.push(spot.file);
  }
  return damaged;
}
