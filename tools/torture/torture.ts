/** `npm run torture`: a site under faults, until a promise is broken or so many were survived. */

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildWhereStale } from '../program.ts';
import {
  type BytesOptions,
  type BytesSurvived,
  tortureAgentBytes,
  torturePuppetBytes,
} from './bytes/agent-bytes.ts';
import { tortureKeptBytes } from './bytes/kept-bytes.ts';
import { tortureServerBytes } from './bytes/server-bytes.ts';
import { FAULTS } from './faults.ts';
import { folderInside, runInside, whyNot } from './namespaces.ts';
import { whyNoPuppet } from './puppet-host.ts';
import { runTorture, type Survived, type TortureOptions } from './run.ts';

const DEFAULTS = { faults: 400, hosts: 3 };

/** Exit code of what this machine lacks something for. */
const NOT_HERE = 77;

const HELP = `Usage: npm run torture -- [options]

A site of real agents, a broker, kick serve and kicks on the command line, under faults at random. Every 20 faults a
host there is a calm: every job must be over, with one outcome on each host that is true by what the run itself has noted,
no two runs may ever have been alive at once, and the next run must begin everywhere. The first broken promise ends it.

  --faults N       how many (default ${DEFAULTS.faults})
  --bytes N        instead: every byte of every file that an agent and a server have stored is damaged in every way, until
                   it were so many. Each is of a record of its own; a hundred and more at a time, a real agent or server
                   starts with them, and must tell of each record what is true, or that it is damaged. A fifth are of files
                   that are read anew each time, those of our own CA among them: what reads them is asked after each byte
  --file NAME      of --bytes only files of this name among those of requests and runs, or only this of what is read each time
                   (such as "key in the making"); repeat it for more
  --puppet N       the first N hosts have a real puppet (default 0). What kick says of its runs must be what the file that they
                   manage, their reports to a server of ours, last_run_report.yaml and last_run_summary.yaml say
  --hosts N        how many agents (default ${DEFAULTS.hosts}); as many faults happen at once
  --kind KIND      only these faults; repeat it for more:
${Object.entries(FAULTS)
  .map(([kind, { what }]) => `                     ${kind.padEnd(14)} ${what}\n`)
  .join('')}  --seed N         the same seed, the same faults; what is on its way at that moment differs
  -h, --help

Everything happens in namespaces of its own (unshare), as root. libfaketime is needed for the clock, nats-server for the broker.

Examples:
  npm run torture
  npm run torture -- --faults 20000
  npm run torture -- --kind kill-agent --kind damage --seed 7
  npm run torture -- --puppet 1 --hosts 2 --faults 200
  npm run torture -- --bytes 100000
`;

async function main(): Promise<number> {
  const options = optionsOf(process.argv.slice(2));
  if (typeof options === 'number') return options;
  const folder = folderInside();
  if (folder !== undefined && options.bytes !== undefined)
    return damaged(folder, { bytes: options.bytes, seed: options.seed, only: options.only });
  if (folder !== undefined) return tortured(folder, options);
  const reason = whyNot();
  if (reason !== undefined) return say(`torture: ${reason}`, NOT_HERE);
  buildWhereStale();
  return runInside([process.execPath, ...process.execArgv, ...process.argv.slice(1)]);
}

async function tortured(folder: string, options: TortureOptions): Promise<number> {
  console.log(`seed ${options.seed}`);
  let last: Survived | undefined;
  const show = (survived: Survived) => {
    last = survived;
    if (process.stderr.isTTY)
      process.stderr.write(`\r${totalOf(survived.faults)} of ${options.faults} faults `);
  };
  try {
    await runTorture(folder, { ...options, onCalm: show });
    return 0;
  } catch (error) {
    console.log(`\na promise is broken, with --seed ${options.seed}: ${(error as Error).message}`);
    return 1;
  } finally {
    if (last !== undefined) console.log(`\n${summaryOf(last)}`);
  }
}

/** What is damaged, its share of all bytes, and how often it is then read. */
const PARTS = [
  { torture: tortureAgentBytes, share: 0.3, folder: 'agent', what: 'an agent', reads: 'starts' },
  {
    torture: torturePuppetBytes,
    share: 0.2,
    folder: 'puppet',
    what: "an agent's runs of Puppet",
    reads: 'starts',
  },
  { torture: tortureServerBytes, share: 0.3, folder: 'server', what: 'a server', reads: 'starts' },
  {
    torture: tortureKeptBytes,
    share: 0.2,
    folder: 'kept',
    what: 'what is read each time',
    reads: 'questions',
  },
];

async function damaged(
  base: string,
  { seed, bytes, ...rest }: Omit<BytesOptions, 'survived'>,
): Promise<number> {
  console.log(`seed ${seed}`);
  const all: { survived: BytesSurvived; what: string; reads: string }[] = [];
  try {
    for (const { torture, share, folder, ...words } of PARTS) {
      const survived: BytesSurvived = { bytes: {}, starts: 0 };
      all.push({ survived, ...words });
      await torture(join(base, folder), { seed, bytes: Math.ceil(bytes * share), survived, ...rest });
    }
    return 0;
  } catch (error) {
    console.log(`a promise is broken, with --seed ${seed}: ${(error as Error).message}`);
    return 1;
  } finally {
    for (const { survived, what, reads } of all) {
      console.log(`\n${totalOf(survived.bytes)} bytes of ${what} damaged, ${survived.starts} ${reads}`);
      console.log(listOf(survived.bytes));
    }
  }
}

const totalOf = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((a, b) => a + b, 0);

const listOf = (counts: Readonly<Record<string, number>>) =>
  Object.entries(counts)
    .sort(([, a], [, b]) => b - a)
    .map(([name, count]) => `  ${name.padEnd(22)} ${count}\n`)
    .join('');

function summaryOf({ faults, outcomes, jobs, runs, starts, rssMb }: Survived): string {
  return `${totalOf(faults)} faults survived
${listOf(faults)}
${jobs} jobs, ${runs} runs, none beside another; ${starts} starts; outcomes, all true:
${listOf(outcomes)}
the largest agent: ${rssMb[0]} MB after the first calm, ${rssMb.at(-1)} MB after the last`;
}

/** An exit code instead, if there is nothing to do. */
function optionsOf(
  words: readonly string[],
): (TortureOptions & Partial<Pick<BytesOptions, 'bytes' | 'only'>>) | number {
  const text = { type: 'string' } as const;
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        ...{
          faults: text,
          bytes: text,
          hosts: text,
          puppet: text,
          seed: text,
          kind: { ...text, multiple: true },
          file: { ...text, multiple: true },
        },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help === true) return say(HELP, 0);
    const unknown = values.kind?.find((kind) => FAULTS[kind] === undefined);
    if (unknown !== undefined) return say(`torture: there is no fault "${unknown}"; see --help`, 2);
    const puppets = values.puppet === undefined ? 0 : wholeOf('--puppet', values.puppet, 0);
    const hosts = wholeOf('--hosts', values.hosts, Math.max(DEFAULTS.hosts, puppets));
    if (puppets > hosts) return say(`torture: --puppet ${puppets}: there are only ${hosts} hosts`, 2);
    const noPuppet = puppets === 0 ? undefined : whyNoPuppet();
    if (noPuppet !== undefined) return say(`torture: --puppet: ${noPuppet}`, NOT_HERE);
    return {
      ...{ hosts, puppets },
      faults: wholeOf('--faults', values.faults, DEFAULTS.faults),
      seed: wholeOf('--seed', values.seed, Date.now() % 1_000_000),
      ...(values.kind !== undefined && { kinds: values.kind }),
      ...(values.file !== undefined && { only: values.file }),
      ...(values.bytes !== undefined && { bytes: wholeOf('--bytes', values.bytes, 1) }),
    };
  } catch (error) {
    return say(`torture: ${(error as Error).message}`, 2);
  }
}

function wholeOf(option: string, given: string | undefined, preset: number): number {
  const value = given === undefined ? preset : Number(given);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`${option}: "${given}" is not a number from 1 on`);
}

function say(text: string, code: number): number {
  (code === 0 ? process.stdout : process.stderr).write(`${text.trimEnd()}\n`);
  return code;
}

// What a broken promise has left behind goes with the namespaces.
process.exit(await main());
