/** What may become of a single byte of a file, and of the whole of it. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Random } from '../../../src/cli/demo/run-shape.ts';
import { between, oneOf } from '../random.ts';

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

/** Of the whole of a file: what returns is in its place, or nothing. */
const WHOLE_WAYS = {
  vanished: () => undefined,
  'an empty record': () => Buffer.from('{}'),
  'of another version': () => Buffer.from('{"v":99}'),
  'another file': (path, random) => {
    const others = othersOf(path);
    return others.length === 0 ? Buffer.alloc(0) : readFileSync(oneOf(random, others));
  },
} as const satisfies Readonly<Record<string, (path: string, random: Random) => Buffer | undefined>>;

/** Those beside it, and those of its name in the folders beside its own. */
function othersOf(path: string): string[] {
  const [folder, name] = [dirname(path), basename(path)];
  const beside = readdirSync(folder).filter((one) => one !== name);
  const named = readdirSync(dirname(folder)).filter((one) => one !== basename(folder));
  return [
    ...beside.map((one) => join(folder, one)),
    ...named.map((one) => join(dirname(folder), one, name)),
  ].filter((one) => existsSync(one) && statSync(one).isFile());
}

type WholeWay = keyof typeof WHOLE_WAYS;
export type WayName = keyof typeof WAYS | WholeWay;

const WAY_NAMES = Object.keys(WAYS) as WayName[];
const WHOLE_WAY_NAMES = Object.keys(WHOLE_WAYS) as WholeWay[];

/** How many bytes of a file count as much as the whole of it. */
const BYTES_A_WHOLE = 32;

/** A byte of a file, and what becomes of it. */
export interface Spot {
  file: string;
  at: number;
  way: WayName;
}

const isWhole = (way: WayName): way is WholeWay => way in WHOLE_WAYS;

/** Each byte of files of these lengths in each way, in an order that the seed gives; then the same again, for ever. */
export function* spots(
  lengths: Readonly<Record<string, number>>,
  random: Random,
): Generator<Spot, never, void> {
  const all = Object.entries(lengths).flatMap(([file, length]) =>
    Array.from({ length }, (_, at) => {
      const ways = at % BYTES_A_WHOLE === 0 ? [...WAY_NAMES, ...WHOLE_WAY_NAMES] : WAY_NAMES;
      return ways.map((way): Spot => ({ file, at, way }));
    }).flat(),
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

/** Of a part of a file: of the whole of it only what the bytes alone can become. Undefined: none is left. */
export function changed(bytes: Buffer, { at, way }: Omit<Spot, 'file'>, random: Random): Buffer | undefined {
  if (way === 'another file' || way === 'vanished') return undefined;
  return isWhole(way) ? WHOLE_WAYS[way]() : WAYS[way](bytes, Math.min(at, bytes.length - 1), random);
}

/** Returns false if that changes nothing, such as a cut at the end. */
export function damage(path: string, spot: Omit<Spot, 'file'>, random: Random): boolean {
  const bytes = readFileSync(path);
  const damaged =
    spot.way === 'another file' ? WHOLE_WAYS[spot.way](path, random) : changed(bytes, spot, random);
  if (damaged === undefined) rmSync(path);
  else if (damaged.equals(bytes)) return false;
  else writeFileSync(path, damaged);
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
    // The key of a request is the name of a file.
    if (spot.way === 'vanished' && /\.(gone|damaged)$/.test(spot.file)) continue;
    if (!left.delete(spot.file)) continue;
    if (damage(join(folder, spot.file), spot, random)) damaged.push(spot.file);
  }
  return damaged;
}
