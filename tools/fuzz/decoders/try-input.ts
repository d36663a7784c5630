/** Tries one input: what no decoder may do, whatever it is given. */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sleep } from '../../../src/util/clock.ts';
import type { Opened } from './decoder.ts';
import { oddityIn } from './look-at-value.ts';

/** Milliseconds of CPU. */
export const MAX_MS = 50;

/** How often an input must have been slow. */
const SLOW_TIMES = 4;

/** Milliseconds after which a promise counts as one that never settles. */
const HANGS_MS = 20_000;

/** Bytes that one input may leave to the collector: so many, and so many times its own. */
const MAX_GARBAGE = 96 << 20;
const GARBAGE_TIMES = 1000;

export interface Problem {
  /** The same for inputs with the same cause. */
  cause: string;
  /** For people. */
  what: string;
}

export type Tried = { end: 'decoded' | 'refused' } | { end: 'problem'; problem: Problem };

export async function tryInput(opened: Opened, input: Buffer): Promise<Tried> {
  const before = held();
  const began = performance.now();
  const first = await attempt(opened, input);
  const tookMs = performance.now() - began;
  if (first.end === 'problem') return first;
  if (tookMs > MAX_MS && (await isSlow(opened, input)))
    return problem('slow', `takes more than ${MAX_MS} ms of CPU, each of ${SLOW_TIMES} times`);
  const allowed = MAX_GARBAGE + GARBAGE_TIMES * input.length;
  if (held() - before > allowed && (await garbageOf(opened, input)) > allowed)
    return problem('memory', `leaves more than ${allowed >> 20} MiB behind for ${input.length} bytes`);
  return { end: first.end };
}

const problem = (cause: string, what: string): Tried => ({ end: 'problem', problem: { cause, what } });

type Attempt = { end: 'decoded'; value: unknown } | { end: 'refused' } | { end: 'problem'; problem: Problem };

async function attempt(opened: Opened, input: Buffer): Promise<Attempt> {
  const decoded = await decode(opened, input);
  if (decoded.end !== 'decoded') return decoded;
  const { value } = decoded;
  const odd = oddityIn(value, (opened.maxValue ?? 1 << 20) + 64 * input.length) ?? pollution();
  if (odd !== undefined) return { end: 'problem', problem: { cause: odd, what: odd } };
  return (await unstable(opened, value)) ?? decoded;
}

async function decode({ decode, isDeclared }: Opened, input: Buffer): Promise<Attempt> {
  try {
    const made = decode(input);
    return { end: 'decoded', value: made instanceof Promise ? await settled(made) : made };
  } catch (error) {
    if (isDeclared?.(error) === true) return { end: 'refused' };
    return { end: 'problem', problem: { cause: causeOf(error), what: `is not declared: ${wordsOf(error)}` } };
  }
}

async function settled(made: Promise<unknown>): Promise<unknown> {
  const over = new AbortController();
  const hangs = sleep(HANGS_MS, over.signal).then(() => {
    if (!over.signal.aborted) throw new Error(`no end within ${HANGS_MS / 1000} s`);
  });
  try {
    return await Promise.race([made, hangs]);
  } finally {
    over.abort();
  }
}

/** What a decoder makes of what it has made is the same. */
async function unstable(opened: Opened, value: unknown): Promise<Attempt | undefined> {
  const { encode } = opened;
  const text = encode?.(value);
  if (encode === undefined || text === undefined) return undefined;
  const failed = (what: string): Attempt => ({ end: 'problem', problem: { cause: what, what } });
  const again = await decode(opened, Buffer.from(text));
  if (again.end === 'problem') return again;
  if (again.end === 'refused') return failed('refuses what was made of its own value');
  const twice = encode(again.value);
  return twice !== undefined && Buffer.compare(twice, text) === 0
    ? undefined
    : failed('makes another value of what was made of its value');
}

// ---------------------------------------------------------------- time and memory

/** CPU, since others share the machine; whatever is compiled or collected at the first time does not count. */
async function isSlow(opened: Opened, input: Buffer): Promise<boolean> {
  for (let times = 0; times < SLOW_TIMES; times++) {
    const before = process.cpuUsage();
    await decode(opened, input);
    const { user, system } = process.cpuUsage(before);
    if ((user + system) / 1000 <= MAX_MS) return false;
  }
  return true;
}

function held(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}

async function garbageOf(opened: Opened, input: Buffer): Promise<number> {
  collect();
  const before = held();
  await decode(opened, input);
  return held() - before;
}

let collector: (() => void) | undefined;

export function collect(): void {
  if (collector === undefined) {
    setFlagsFromString('--expose-gc');
    collector = runInNewContext('gc') as () => void;
  }
  collector();
}

/** Twice: the memory of buffers is given back only behind a collection. */
export async function heldAfterCollection(): Promise<number> {
  collect();
  await sleep(20);
  collect();
  return held();
}

// ---------------------------------------------------------------- prototypes

const GLOBALS = [Object, Array, String, Number, Boolean, Function, Map, Set, Promise, RegExp, Uint8Array].map(
  ({ prototype }) => ({ prototype: prototype as object, keys: Reflect.ownKeys(prototype).length }),
);

/** Undone, so that what comes next is judged by itself. */
function pollution(): string | undefined {
  const changed = GLOBALS.filter(({ prototype, keys }) => Reflect.ownKeys(prototype).length !== keys);
  for (const { prototype, keys } of changed)
    for (const key of Reflect.ownKeys(prototype).slice(keys)) Reflect.deleteProperty(prototype, key);
  return changed.length === 0 ? undefined : 'adds to a global prototype';
}

// ---------------------------------------------------------------- errors

/** Where it was thrown: of the same place are the same faults. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return `throws ${typeof error}`;
  const place = /\/src\/([^\s():]+:\d+)/.exec(error.stack ?? '')?.[1];
  return `${error.name} at ${place ?? error.message.replaceAll(/\d+/g, '0').slice(0, 60)}`;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  const frames = (error.stack ?? '').split('\n').filter((line) => /\/(src|node_modules)\//.test(line));
  return [`${error.name}${code}: ${error.message.slice(0, 300)}`, ...frames.slice(0, 4)].join('\n');
}
