/** The figures that need a real Puppet and its server; without them the rows say so. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sleep } from '../src/util/clock.ts';
import { type Lab, startLab } from '../test/lab/lab.ts';
import { unitFlags } from './agent.ts';
import { median, type Row, rssOf, startAgent, timedKick, writeInventory } from './measure.ts';

interface Place {
  lab: Lab;
  folder: string;
}

const run = promisify(execFile);
const ms = (value: number) => `${Math.round(value)} ms`;
const mb = (value: number) => `${value.toFixed(1)} MB`;
const ratio = (a: number, b: number) => `${(a / b).toFixed(2)} x`;

export async function puppetRows(folder: string, rounds: number, bareMs: number): Promise<Row[]> {
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
    return [
      ...(await puppetTimes(place, rounds, bareMs)),
      ...(await overheadRows(place, rounds)),
      ...(await memoryRows(place)),
    ];
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

const agentFolders = (folder: string, name: string) => [
  ...['--config-dir', join(folder, name), '--state-dir', join(folder, name, 'state')],
  ...['--run-dir', join(folder, name, 'run')],
];

async function puppetTimes({ lab, folder }: Place, rounds: number, bareMs: number): Promise<Row[]> {
  const certname = lab.certnameOf('agent1');
  mkdirSync(join(folder, 'puppet'));
  const agent = await startAgent(['--puppet', lab.puppetOf('agent1'), ...agentFolders(folder, 'puppet')]);
  writeInventory(folder, certname, agent);
  const kickArgs = ['--host', certname, '--puppet', lab.serverPuppet, '--config-dir', folder];
  const starts: number[] = [];
  try {
    for (let i = 0; i <= Math.min(rounds, 10); i++) {
      const { spawnedAt, document } = await timedKick([...kickArgs, '--state-dir', join(folder, 'kick2')]);
      const startedAt = Date.parse(document.hosts[0]?.run?.startedAt ?? '');
      if (i > 0) starts.push(startedAt - spawnedAt);
    }
  } finally {
    await agent.stop();
  }
  const start = median(starts);
  return [
    {
      what: 'kick started -> puppet agent spawned (RSA-4096)',
      value: ms(start),
      beside: `${ratio(start, bareMs)} node -e 0`,
      promised: '<= 250 ms',
    },
  ];
}

/** The whole command beside a bare `puppet agent --onetime` on the same host, in turns. */
async function overheadRows({ lab, folder }: Place, rounds: number): Promise<Row[]> {
  const certname = lab.certnameOf('agent1');
  mkdirSync(join(folder, 'overhead'));
  const agent = await startAgent(['--puppet', lab.puppetOf('agent1'), ...agentFolders(folder, 'overhead')]);
  writeInventory(folder, certname, agent);
  const kick = ['--host', certname, '--puppet', lab.serverPuppet, '--config-dir', folder];
  const bareArgs = ['agent', '--onetime', '--no-daemonize', '--no-usecacheonfailure', '--no-splay'];
  const [own, bare]: [number[], number[]] = [[], []];
  try {
    for (let i = 0; i <= Math.min(rounds, 8); i++) {
      const from = performance.now();
      await run(lab.puppetOf('agent1'), bareArgs);
      const bareMs = performance.now() - from;
      const { spawnedAt, printedAt } = await timedKick([...kick, '--state-dir', join(folder, 'kick4')]);
      if (i === 0) continue;
      bare.push(bareMs);
      own.push(printedAt - spawnedAt);
    }
  } finally {
    await agent.stop();
  }
  const over = median(own.map((value, i) => value / (bare[i] ?? Number.NaN) - 1));
  const extra = median(own.map((value, i) => value - (bare[i] ?? Number.NaN)));
  return [
    {
      what: 'a kick over a bare puppet agent --onetime',
      value: `${(over * 100).toFixed(1)} %`,
      beside: `${ms(extra)} of ${ms(median(bare))}, ${own.length} pairs`,
      promised: '<= 3 %',
      figures: { percent: over * 100, extraMs: extra, kickMs: median(own), puppetMs: median(bare) },
    },
  ];
}

/** Beside Puppet's own daemon; all have served once and are idle. */
async function memoryRows({ lab, folder }: Place): Promise<Row[]> {
  const resident = residentPuppet(lab);
  const asUnit = await idleAgent({ lab, folder }, 'unit', unitFlags());
  const plain = await idleAgent({ lab, folder }, 'plain', []);
  const puppet = rssOf(resident);
  process.kill(resident, 'SIGTERM');
  const beside = (own: number) => `${ratio(own, puppet)} a resident puppet agent (${mb(puppet)})`;
  return [
    {
      what: 'kick agent, idle, as its unit starts it',
      value: mb(asUnit),
      beside: beside(asUnit),
      promised: '<= 55 MB',
    },
    { what: 'kick agent, idle, from a shell', value: mb(plain), beside: beside(plain), promised: '-' },
  ];
}

async function idleAgent({ lab, folder }: Place, name: string, flags: readonly string[]): Promise<number> {
  const args = ['--puppet', lab.puppetOf('agent1'), ...agentFolders(folder, name)];
  const agent = await startAgent(args, flags);
  const certname = lab.certnameOf('agent1');
  writeInventory(folder, certname, agent);
  const kickArgs = ['--host', certname, '--puppet', lab.serverPuppet, '--config-dir', folder];
  await timedKick([...kickArgs, '--state-dir', join(folder, 'kick3')]);
  await sleep(10_000);
  const rss = rssOf(agent.pid);
  await agent.stop();
  return rss;
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
