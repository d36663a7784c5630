/**
 * `npm run bench`: the promised figures, each compared with its yardstick in the same run, since machines
 * are shared and an absolute figure proves nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { KickError, messageOf } from '../src/errors.ts';
import { PROGRAM } from '../tools/program.ts';
import { throwawayFolder } from '../tools/throwaway-folder.ts';
import { agentRows } from './agent.ts';
import { commandRows } from './command.ts';
import { controllerRows } from './controller.ts';
import { dispatchRows } from './dispatch.ts';
import { floodRows } from './floods.ts';
import { floodsNatsRows } from './floods-nats.ts';
import { floodsPkiRows } from './floods-pki.ts';
import { floodsWebRows } from './floods-web.ts';
import { linesRows } from './lines.ts';
import { median, type Row, wallOfNode } from './measure.ts';
import { natsRows } from './nats.ts';
import { pageRows } from './page.ts';
import { puppetRows } from './puppet.ts';
import { scaleRows } from './scale.ts';
import { webRows } from './web.ts';

const OUT = join(import.meta.dirname, 'out');
const MAX_HOSTS = 10_000;

interface Settings {
  rounds: number;
  /** Size of the largest fleet; if it is small, the others are as well. */
  hosts: number;
  only: readonly string[];
}

interface Place extends Settings {
  folder: string;
  /** Where certificates of fleets are kept between groups. */
  keep: string;
  /** `node -e 0`, milliseconds. */
  bareMs: number;
}

const GROUPS: Readonly<
  Record<string, { what: string; rows(place: Place): Promise<Row[]> | AsyncGenerator<Row> }>
> = {
  start: { what: 'kick --version', rows: versionRows },
  choose: {
    what: 'choosing among 50,000 hosts, remembering 10,000 jobs',
    rows: ({ folder, rounds, bareMs }) => controllerRows(folder, { rounds: Math.min(3, rounds), bareMs }),
  },
  command: {
    what: 'from kick to a run and back',
    rows: ({ folder, rounds, bareMs }) => commandRows(folder, { rounds: Math.min(5, rounds), bareMs }),
  },
  dispatch: {
    what: 'what a host costs the controller, beside a bare client, openssl and ssh',
    rows: (place) => dispatchRows({ ...place, hosts: Math.min(1000, place.hosts) }),
  },
  scale: { what: 'ten thousand hosts: time, memory, growth', rows: scaleRows },
  agent: {
    what: 'the agent: memory, CPU a request, start-up',
    rows: ({ folder, hosts }) => agentRows(folder, hosts),
  },
  floods: { what: 'the agent under floods of connections', rows: ({ folder }) => floodRows(folder) },
  'floods-web': { what: 'kick serve under floods', rows: floodsWebRows },
  'floods-nats': { what: 'an agent at a broker under floods', rows: ({ folder }) => floodsNatsRows(folder) },
  'floods-pki': { what: 'kick pki serve under floods', rows: ({ folder }) => floodsPkiRows(folder) },
  lines: {
    what: 'what runs print, on its way',
    rows: (place) => linesRows({ ...place, hosts: Math.min(1000, place.hosts) }),
  },
  nats: { what: 'through a broker (NATS), beside direct push', rows: natsRows },
  web: {
    what: 'kick serve: memory, how soon a job begins, who watches',
    rows: (place) => webRows({ ...place, rounds: Math.min(5, place.rounds) }),
  },
  page: { what: 'the page in Chromium, on a large job', rows: pageRows },
  puppet: {
    what: 'beside a real Puppet',
    rows: ({ folder, rounds, bareMs }) => puppetRows(folder, { rounds, bareMs }),
  },
};

const HELP = `Usage: npm run bench -- [options] [ROUNDS]

Prints the promised figures, each beside its yardstick, and writes them to bench/out/bench.json. About eight minutes on
two processors. Rows that need what is not installed say so.

  --only GROUP   some of the groups (repeat it for more):
${Object.entries(GROUPS)
  .map(([name, { what }]) => `                   ${name.padEnd(12)} ${what}\n`)
  .join(
    '',
  )}  --hosts N      of the largest fleet, and requests to one agent (default ${MAX_HOSTS}); smaller is faster
  --rounds N     how often the short ones are repeated (default 10)
  -h, --help

Examples:
  npm run bench
  npm run bench -- --only dispatch --hosts 200
`;

async function main(): Promise<void> {
  const settings = settingsOf(process.argv.slice(2));
  if (settings === undefined) return void process.stdout.write(HELP);
  const { path: folder, remove } = throwawayFolder({ prefix: 'kick-bench-' });
  process.once('exit', remove);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  await measureAll(settings, folder);
}

async function measureAll(settings: Settings, folder: string): Promise<void> {
  const { rounds, only } = settings;
  const [{ model = 'unknown' } = {}] = cpus();
  const machine = `Node ${process.version}, ${cpus().length} x ${model}`;
  console.log(`${machine}, ${rounds} rounds, medians\n`);
  const started = performance.now();
  const keep = join(folder, 'certificates');
  const place: Place = { ...settings, folder, keep, bareMs: await bareMsOf(rounds) };
  mkdirSync(OUT, { recursive: true });
  const rows: (Row & { group: string })[] = [];
  const seconds: Record<string, number> = {};
  const since = (from: number) => Math.round((performance.now() - from) / 1000);
  for (const [group, { rows: measure }] of Object.entries(GROUPS)) {
    if (only.length > 0 && !only.includes(group)) continue;
    const from = performance.now();
    for await (const row of await measure(place)) {
      show(row);
      rows.push({ group, ...row });
    }
    seconds[group] = since(from);
    const document = { at: new Date().toISOString(), machine, ...settings, seconds, rows };
    writeFileSync(join(OUT, 'bench.json'), `${JSON.stringify(document, null, 2)}\n`);
  }
  const parts = Object.entries(seconds).map(([group, took]) => `${group} ${took}`);
  console.log(`\n${since(started)} s (${parts.join(', ')}); bench/out/bench.json`);
}

/** Undefined if help is asked for. Throws `KickError` `usage`. */
function settingsOf(args: string[]): Settings | undefined {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(args);
  } catch (error) {
    throw new KickError('usage', messageOf(error), { hint: 'npm run bench -- --help' });
  }
  const { values, positionals } = parsed;
  if (values.help === true) return undefined;
  const unknown = (values.only ?? []).find((name) => !Object.hasOwn(GROUPS, name));
  if (unknown !== undefined || positionals.length > 1) {
    const what =
      unknown === undefined ? `too many words: "${positionals[1]}"` : `--only: no group "${unknown}"`;
    throw new KickError('usage', what, { hint: `groups are ${Object.keys(GROUPS).join(', ')}` });
  }
  return {
    rounds: numberOf('--rounds', positionals[0] ?? values.rounds ?? '10', 1000),
    hosts: numberOf('--hosts', values.hosts ?? String(MAX_HOSTS), MAX_HOSTS),
    only: values.only ?? [],
  };
}

function parse(args: string[]) {
  return parseArgs({
    args,
    allowPositionals: true,
    options: {
      only: { type: 'string', multiple: true },
      hosts: { type: 'string' },
      rounds: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
}

function numberOf(name: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d{1,6}$/.test(text) && value >= 1 && value <= most) return value;
  throw new KickError('usage', `${name}: "${text}" is not a number from 1 to ${most}`);
}

function show({ what, value, beside, promised }: Row): void {
  console.log(`${what.padEnd(52)} ${value.padStart(9)}   ${beside.padEnd(56)} goal: ${promised}`);
}

// ---------------------------------------------------------------- without a fleet

async function bareMsOf(rounds: number): Promise<number> {
  const all: number[] = [];
  for (let i = 0; i < rounds; i++) all.push(await wallOfNode(['-e', '0']));
  return median(all);
}

/** Alternating, so that other load on the machine affects both. */
async function versionRows({ rounds }: Place): Promise<Row[]> {
  const [bare, own]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    bare.push(await wallOfNode(['-e', '0']));
    own.push(await wallOfNode([PROGRAM, '--version']));
  }
  const [a, b] = [median(own), median(bare)];
  const beside = `${(a / b).toFixed(2)} x node -e 0 (${Math.round(b)} ms)`;
  const figures = { ms: a, bareMs: b, ratio: a / b };
  return [{ what: 'kick --version', value: `${Math.round(a)} ms`, beside, promised: '<= 1.8 x', figures }];
}

try {
  await main();
} catch (error) {
  if (!(error instanceof KickError)) throw error;
  console.error(`bench: ${error.message}`);
  if (error.hint !== undefined) console.error(`hint: ${error.hint}`);
  process.exitCode = 2;
}
