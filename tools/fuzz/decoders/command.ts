/** `npm run fuzz -- --decoder …`: what others write and what kick stores, byte by byte. */
import { existsSync } from 'node:fs';
import { throwawayFolder } from '../../throwaway-folder.ts';
import { DECODERS } from './all.ts';
import type { Decoder } from './decoder.ts';
import { diceOf } from './dice.ts';
import { type DecoderReport, type Failure, fuzzDecoder, openDecoder } from './fuzz-decoder.ts';
import { makeInput } from './make-input.ts';
import { tryInput } from './try-input.ts';
import { watchForHangs } from './watchdog.ts';

export interface CommandOptions {
  /** A name, or `all`. */
  decoder: string;
  runs: number;
  seed: number;
  /** Only this one of the inputs. */
  at?: number | undefined;
  /** Only this input, base64. */
  input?: string | undefined;
}

/** Bytes of an input that are printed: a command line has room for them. */
const MAX_SHOWN = 60_000;

export function decoderList(): string {
  const width = Math.max(...DECODERS.map(({ name }) => name.length));
  return DECODERS.map(({ name, about }) => `  ${name.padEnd(width)}  ${about}\n`).join('');
}

/** In memory, where there is one: most inputs of decoders of files are written. */
export const inputFolder = () =>
  throwawayFolder({ prefix: 'kick-fuzz-', ...(existsSync('/dev/shm') && { parent: '/dev/shm' }) });

/** Returns the exit code. */
export async function fuzzDecoders(options: CommandOptions): Promise<number> {
  const { decoder: wanted, at, input } = options;
  const chosen = DECODERS.filter(({ name }) => wanted === 'all' || name === wanted);
  if (chosen.length === 0) {
    console.error(`there is no decoder "${wanted}"; there are:\n${decoderList()}`);
    return 2;
  }
  const { path: folder, remove } = inputFolder();
  const dog = watchForHangs();
  try {
    if (at !== undefined || input !== undefined) return await tryAgain(chosen, folder, options);
    const reports: DecoderReport[] = [];
    for (const decoder of chosen) {
      const note = (index: number) =>
        dog.note(`--decoder ${decoder.name} --seed ${options.seed} --at ${index}`);
      const report = await fuzzDecoder(decoder, { ...options, folder, onInput: note });
      console.log(lineOf(report));
      for (const failure of report.failures) console.log(failureText(report.name, options.seed, failure));
      reports.push(report);
    }
    if (reports.length > 1) console.log(totalOf(reports));
    return reports.some(({ failures }) => failures.length > 0) ? 1 : 0;
  } finally {
    dog.end();
    remove();
  }
}

async function tryAgain(
  decoders: readonly Decoder[],
  folder: string,
  { seed, at = 0, input }: CommandOptions,
) {
  let isWell = true;
  for (const decoder of decoders) {
    const opened = await openDecoder(decoder, folder);
    const bytes =
      input === undefined ? makeInput(opened, diceOf(decoder.name, seed, at)) : Buffer.from(input, 'base64');
    const tried = await tryInput(opened, bytes);
    const what = tried.end === 'problem' ? tried.problem.what : tried.end;
    console.log(`${decoder.name}, ${bytes.length} bytes: ${what}`);
    isWell &&= tried.end !== 'problem';
  }
  return isWell ? 0 : 1;
}

export function failureText(name: string, seed: number, { at, what, input }: Failure): string {
  const base64 = input.toString('base64');
  const isShown = input.length > 0 && base64.length <= MAX_SHOWN;
  return [
    `found: ${name} ${what}`,
    `  its input: ${isShown ? base64 : `${input.length} bytes`}`,
    `  again: npm run fuzz -- --decoder ${name} ${isShown ? `--input ${base64}` : `--seed ${seed} --at ${at}`}`,
  ].join('\n');
}

const lineOf = ({ name, inputs, decoded, refused, failures, cpuS, longestMs }: DecoderReport) =>
  `${name.padEnd(18)} ${inputs} inputs, ${decoded} decoded, ${refused} refused, ${failures.length} found; ` +
  `${Math.round(inputs / cpuS)} a second of CPU, the longest ${longestMs.toFixed(1)} ms`;

function totalOf(reports: readonly DecoderReport[]): string {
  const sum = (value: (report: DecoderReport) => number) => reports.reduce((all, one) => all + value(one), 0);
  const cpuS = sum((one) => one.cpuS);
  const inputs = sum((one) => one.inputs);
  return (
    `${reports.length} decoders: ${inputs} inputs in ${cpuS.toFixed(1)} s of CPU, ` +
    `${Math.round(inputs / cpuS)} a second; ${sum((one) => one.failures.length)} found`
  );
}
