/** The figures that need a real Puppet and its server; without them the rows say so. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../src/util/clock.ts';
import { type Lab, startLab } from '../test/lab/lab.ts';
import { agentCommand } from '../tools/agent-process.ts';
import { PROGRAM } from '../tools/program.ts';
import {
  type Measuring,
  mediansOf,
  type Row,
  roundsWithin,
  startAsUnit,
  timedKick,
  writeInventory,
} from './measure.ts';
import { memoryOf } from './processes.ts';

interface Place {
  lab: Lab;
  folder: string;
}

/** Seconds that one resource takes in the run of ordinary length. */
const LONG_RUN_S = 10;
/** Milliseconds within which pairs of a kick and a bare run start. */
const SHORT_PAIRS_MS = 30_000;
const LONG_PAIRS_MS = 70_000;

/** Milliseconds until the garbage of a run has been collected. */
const CALM_MS = 4_000;

const run = promisify(execFile);
const ms = (value: number) => `${Math.round(value)} ms`;
const mb = (value: number) => `${value.toFixed(1)} MB`;
const ratio = (a: number, b: number) => `${(a / b).toFixed(2)} x`;

export async function puppetRows(folder: string, measuring: Measuring): Promise<Row[]> {
  if (!hasPuppet()) {
    const missing = {
      value: '-',
      beside: 'not measured: needs puppet-agent and puppetserver',
      promised: '-',
    };
    return [
      { what: 'kick started -> puppet agent spawned', ...missing },
      { what: 'a kick over a bare puppet agent --onetime', ...missing },
      { what: 'kick agent, idle, beside a resident puppet agent', ...missing },
    ];
  }
  const lab = await startLab({ agents: 1 });
  try {
    const place = { lab, folder };
    return [...(await timeRows(place, measuring)), ...(await memoryRows(place))];
  } finally {
    await lab.remove();
  }
}

function hasPuppet(): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v puppet && command -v puppetserver'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** As the unit starts it, with Puppet's own certificates. */
const startPuppetAgent = (lab: Lab, configDir: string) =>
  startAsUnit([...agentCommand({ configDir }, [PROGRAM]), '--puppet', lab.puppetOf('agent1')]);

/**
 * The whole command compared with a bare `puppet agent --onetime` on the same host, alternating: with the shortest possible
 * run, and with one of ordinary length.
 */
async function timeRows({ lab, folder }: Place, { rounds, bareMs }: Measuring): Promise<Row[]> {
  const certname = lab.certnameOf('agent1');
  mkdirSync(join(folder, 'overhead'));
  const agent = await startPuppetAgent(lab, join(folder, 'overhead'));
  writeInventory(folder, certname, agent);
  const kick = [
    ...['--host', certname, '--puppet', lab.serverPuppet],
    ...['--config-dir', folder, '--state-dir', join(folder, 'kick4')],
  ];
  try {
    await timedKick(kick); // the first asks Puppet for its settings
    const short = await pairs(
      lab,
      kick,
      roundsWithin(SHORT_PAIRS_MS, { least: 2, most: Math.min(rounds, 6) }),
    );
    await lab.set('agent1', 'sleep', LONG_RUN_S);
    const long = await pairs(lab, kick, roundsWithin(LONG_PAIRS_MS, { least: 2, most: 4 }));
    await lab.unset('agent1', 'sleep');
    const { startMs: start } = mediansOf(short);
    return [
      {
        what: 'kick started -> puppet agent spawned (RSA-4096)',
        value: ms(start),
        beside: `${ratio(start, bareMs)} node -e 0`,
        promised: '<= 250 ms',
        figures: { ms: start, ratio: start / bareMs },
      },
      overheadRow(`a kick over a bare puppet agent, a check of ${LONG_RUN_S} s in it`, long),
      overheadRow('  the same, the shortest run that there is', short),
    ];
  } finally {
    await agent.kill();
  }
}

/** Milliseconds of one kick beside one bare run. */
interface Pair {
  bareMs: number;
  kickMs: number;
  /** From the kick's start to its run's. */
  startMs: number;
}

async function pairs(lab: Lab, kick: readonly string[], rounds: Iterable<number>): Promise<Pair[]> {
  const bareArgs = ['agent', '--onetime', '--no-daemonize', '--no-usecacheonfailure', '--no-splay'];
  const measured: Pair[] = [];
  for (const _ of rounds) {
    const from = performance.now();
    await run(lab.puppetOf('agent1'), bareArgs);
    const bareMs = performance.now() - from;
    const { spawnedAt, printedAt, document } = await timedKick(kick);
    const startMs = Date.parse(document.hosts[0]?.run?.startedAt ?? '') - spawnedAt;
    measured.push({ bareMs, kickMs: printedAt - spawnedAt, startMs });
  }
  return measured;
}

function overheadRow(what: string, measured: readonly Pair[]): Row {
  const { percent, extraMs, puppetMs } = mediansOf(
    measured.map(({ bareMs, kickMs }) => ({
      percent: 100 * (kickMs / bareMs - 1),
      extraMs: kickMs - bareMs,
      puppetMs: bareMs,
    })),
  );
  return {
    what,
    value: `${percent.toFixed(1)} %`,
    beside: `${ms(extraMs)} of ${ms(puppetMs)}, ${measured.length} pairs`,
    promised: '<= 3 %',
    figures: { percent, extraMs, puppetMs },
  };
}

/** Beside Puppet's own daemon; both have served once and are idle. */
async function memoryRows({ lab, folder }: Place): Promise<Row[]> {
  const resident = residentPuppet(lab);
  const certname = lab.certnameOf('agent1');
  const agent = await startPuppetAgent(lab, join(folder, 'unit'));
  writeInventory(folder, certname, agent);
  const kick = ['--host', certname, '--puppet', lab.serverPuppet, '--config-dir', folder];
  const after: { rss: number; pss: number }[] = [];
  while (after.length < 3) {
    await timedKick([...kick, '--state-dir', join(folder, 'kick3')]);
    await sleep(CALM_MS);
    after.push(memoryOf(agent.pid));
  }
  const [own, puppet] = [mediansOf(after), memoryOf(resident)];
  await agent.kill();
  process.kill(resident, 'SIGTERM');
  const row = (what: string, of: 'rss' | 'pss', promised: string): Row => ({
    what,
    value: mb(own[of]),
    beside: `${ratio(own[of], puppet[of])} a resident puppet agent (${mb(puppet[of])})`,
    promised,
    figures: { own: own[of], puppet: puppet[of], ratio: own[of] / puppet[of] },
  });
  return [
    row('kick agent, idle after runs, as its unit starts it', 'rss', '<= 1 x'),
    row('  PSS', 'pss', '-'),
  ];
}

/** Puppet's own daemon for the lab's agent; its pid. */
function residentPuppet(lab: Lab): number {
  const script = join(import.meta.dirname, '..', 'test', 'lab', 'puppet-lab');
  const output = execFileSync('sh', ['-c', `"${script}" daemon agent1 2>&1`], {
    env: { ...process.env, LAB_DIR: lab.dir },
    encoding: 'utf8',
  });
  const [, pid = ''] = /pid (\d+)/.exec(output) ?? [];
  return Number(pid);
}
