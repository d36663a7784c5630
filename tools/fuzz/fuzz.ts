/** `npm run fuzz`: command lines, files and variables without end, or inputs of decoders; none may end in an error of kick itself. */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { clip } from '../../src/util/text.ts';
import { buildWhereStale } from '../program.ts';
import { decoderList, fuzzDecoders } from './decoders/command.ts';
import { MAX_MS } from './decoders/try-input.ts';
import { tryInProcess } from './in-process.ts';
import { type Input, inputs } from './input.ts';
import { tryOwnProcess } from './own-process.ts';
import { openWorld } from './world.ts';

const HELP = `Usage: npm run fuzz -- [options]
       npm run fuzz -- --decoder NAME|all [options]

Without --decoder it makes command lines from every command's real options, with inventories, configurations, lists of hosts, records of jobs
and variables that are mostly right, and runs each. None may end in an exit code that is not documented (70 is an error
of kick itself) or by a signal, print a stack trace, a control character or too much, take too much time or memory, or hang.

  --runs N       how many inputs (default 20000)
  --seed N       the same seed, the same inputs (default: another one each time)
  --path P       only the input that a failure named
  --processes    each as the built program in a process of its own, which takes twenty times as long, and the
                 commands that go on until they are told to end, and stdin, as well
  -h, --help

With --decoder it gives a decoder what its own encoders make, with bits, bytes, fields and lengths changed. Only errors that the
decoder declares may come of it, none may take more than ${MAX_MS} ms of CPU or more memory than its size allows, leave anything on
a prototype, or mean something else once it is written again.

  --decoder NAME one of those below, or all
  --runs N       how many inputs of each (default 20000)
  --seed N       the same seed, the same inputs (default: another one each time)
  --at N         only this one of the seed's inputs
  --input BASE64 only this input

${decoderList()}`;

export interface FuzzOptions {
  runs: number;
  seed: number;
  /** Whether each input has a process of its own; defaults to false. */
  processes?: boolean;
  path?: string | undefined;
  onInput?: ((done: number) => void) | undefined;
  /** At each input that does what none may, before smaller ones are tried. */
  onProblem?: ((problems: readonly string[]) => void) | undefined;
}

export interface FuzzReport {
  /** How many inputs ended with each exit code. */
  codes: Map<number, number>;
  /** How many there were of each command. */
  commands: Map<string, number>;
  /** The smallest input that was found to do what none may, and what it did; undefined: none. */
  failure: string | undefined;
}

/** Changes the process while it lasts: see world.ts. */
export async function fuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { runs, seed, processes = false, path, onInput, onProblem } = options;
  const world = await openWorld();
  const [codes, commands] = [new Map<number, number>(), new Map<string, number>()];
  let done = 0;
  const input = await inputs({ inProcess: !processes });
  const tryInput = processes ? tryOwnProcess : tryInProcess;
  const property = fc.asyncProperty(input, async (given) => {
    const { code, problems, err } = await tryInput(given, world);
    add(codes, code);
    add(commands, commandOf(given));
    onInput?.(++done);
    if (problems.length === 0) return;
    onProblem?.(problems);
    throw new Error(`${problems.join('\n')}\nwhat it said:\n${err.slice(-2000)}`);
  });
  try {
    const details = await fc.check(property, { numRuns: runs, seed, ...(path !== undefined && { path }) });
    return { codes, commands, failure: details.failed ? failureOf(details) : undefined };
  } finally {
    world.close();
  }
}

function add<T>(counts: Map<T, number>, what: T): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

/** The first word that may be a command's name; hosts and options count as none. */
function commandOf({ words }: Input): string {
  const [first = ''] = words;
  return /^(__)?[a-z]{3,10}$/.test(first) ? first : '(none)';
}

function failureOf(details: fc.RunDetailsCommon<[Input]>): string {
  const { seed, counterexamplePath, counterexample, errorInstance } = details;
  const why = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  const input = JSON.stringify(counterexample?.[0], clipped, 2);
  return `${why}\nits input:\n${input}\nagain: --seed ${seed} --path ${counterexamplePath}`;
}

/** Most of a long text says nothing: the path makes all of it again. */
function clipped(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? clip(value, 500) : value;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '20000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      path: { type: 'string' },
      decoder: { type: 'string' },
      at: { type: 'string' },
      input: { type: 'string' },
      processes: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const [runs, seed] = [Number(values.runs), Number(values.seed)];
  const { decoder, input } = values;
  if (decoder !== undefined) {
    console.log(`seed ${seed}`);
    return fuzzDecoders({
      decoder,
      runs,
      seed,
      input,
      at: values.at === undefined ? undefined : Number(values.at),
    });
  }
  if (values.processes) buildWhereStale();
  const started = performance.now();
  const { codes, commands, failure } = await fuzz({
    ...{ runs, seed, path: values.path, processes: values.processes },
    onInput: (done) => {
      if (done % 500 === 0)
        console.error(`${done} inputs in ${Math.round((performance.now() - started) / 1000)} s`);
    },
    onProblem: (problems) => console.error(`found: ${problems.join('; ')}`),
  });
  console.log(`seed ${seed}: exit codes ${listOf(codes)}\ncommands ${listOf(commands)}`);
  if (failure === undefined) return 0;
  console.log(failure);
  return 1;
}

/** `20 x 0, 300 x 2`. */
function listOf(counts: ReadonlyMap<number | string, number>): string {
  const sorted = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.map(([what, count]) => `${count} x ${what}`).join(', ');
}

if (import.meta.filename === process.argv[1]) process.exit(await main());
