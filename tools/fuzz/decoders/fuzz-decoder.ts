/** Tries a decoder with so many inputs. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Decoder, Opened } from './decoder.ts';
import { diceOf } from './dice.ts';
import { makeInput } from './make-input.ts';
import { shrink } from './shrink.ts';
import { heldAfterCollection, type Problem, tryInput } from './try-input.ts';

export interface DecoderOptions {
  runs: number;
  seed: number;
  /** Folders of decoders of files are made in it. */
  folder: string;
  /** Called before each input. */
  onInput?: (at: number) => void;
}

export interface Failure extends Problem {
  /** Which of the inputs of this seed; -1: a sample. */
  at: number;
  /** The smallest that was found. */
  input: Buffer;
}

export interface DecoderReport {
  name: string;
  inputs: number;
  decoded: number;
  refused: number;
  /** One for each cause. */
  failures: Failure[];
  /** Seconds of CPU. */
  cpuS: number;
  /** The longest, milliseconds by the clock. */
  longestMs: number;
}

/** Inputs whose traces may stay for ever: what is compiled, caches that are bounded. */
const WARM = 300;
const MAX_GROWTH = 48 << 20;

/** Causes after which the rest is left for the next time. */
const MAX_FAILURES = 10;

export async function fuzzDecoder(decoder: Decoder, options: DecoderOptions): Promise<DecoderReport> {
  const { name } = decoder;
  const report: DecoderReport = {
    name,
    inputs: 0,
    decoded: 0,
    refused: 0,
    failures: [],
    cpuS: 0,
    longestMs: 0,
  };
  const opened = await openDecoder(decoder, options.folder);
  const wild = catchWild();
  const cpu = process.cpuUsage();
  try {
    for (const { bytes, wrap } of opened.samples) {
      await tryOne(Buffer.from(wrap?.(bytes) ?? bytes), { opened, at: -1, report });
      if (report.refused > 0) throw new Error(`${name} refuses a sample of its own: ${Buffer.from(bytes)}`);
    }
    await tryMany(decoder, { ...options, opened, report });
    await nextTurn();
  } finally {
    wild.end();
  }
  const { user, system } = process.cpuUsage(cpu);
  for (const what of wild.found)
    report.failures.push({ cause: what, what, at: report.inputs, input: Buffer.alloc(0) });
  return { ...report, cpuS: (user + system) / 1e6 };
}

export async function openDecoder(decoder: Decoder, parent: string): Promise<Opened> {
  const folder = join(parent, decoder.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return decoder.open(folder);
}

interface Trial {
  opened: Opened;
  report: DecoderReport;
}

async function tryMany({ name }: Decoder, { opened, report, runs, seed, onInput }: DecoderOptions & Trial) {
  let before: number | undefined;
  for (let at = 0; at < runs && report.failures.length < MAX_FAILURES; at++) {
    onInput?.(at);
    const input = makeInput(opened, diceOf(name, seed, at));
    await tryOne(input, { opened, at, report });
    if (at === WARM) before = await heldAfterCollection();
    if (at % 200 === 0) await nextTurn();
  }
  if (before === undefined) return;
  await nextTurn();
  const what = 'holds more and more memory';
  if ((await heldAfterCollection()) - before > MAX_GROWTH)
    report.failures.push({ cause: what, what, at: runs, input: Buffer.alloc(0) });
}

async function tryOne(input: Buffer, { opened, at, report }: Trial & { at: number }): Promise<void> {
  const began = performance.now();
  const tried = await tryInput(opened, input);
  report.longestMs = Math.max(report.longestMs, performance.now() - began);
  report.inputs += 1;
  if (tried.end !== 'problem') {
    report[tried.end] += 1;
    return;
  }
  const { problem } = tried;
  if (report.failures.some(({ cause }) => cause === problem.cause)) return;
  report.failures.push({ ...problem, at, input: await shrink(opened, input, problem) });
}

/** What is thrown where nobody can catch it. */
function catchWild() {
  const found: string[] = [];
  const note = (error: unknown) => {
    const what = `nobody catches: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
    if (!found.includes(what)) found.push(what);
  };
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
  return {
    found,
    end() {
      process.off('uncaughtException', note);
      process.off('unhandledRejection', note);
    },
  };
}
