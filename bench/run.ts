/**
 * `npm run bench`: the figures that are promised, each as a ratio within this one run, since
 * machines are shared and an absolute time proves nothing.
 *
 *     npm run bench              everything; about a minute
 *     npm run bench -- 50        with so many rounds (default 20)
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAuthority } from '../src/pki/authority.ts';
import { sleep, systemClock } from '../src/util/clock.ts';
import { type Lab, startLab } from '../test/lab/lab.ts';
import { controllerRows } from './controller.ts';
import {
  type BenchAgent,
  BIN,
  median,
  type Row,
  rssOf,
  startAgent,
  timedKick,
  wallOfNode,
} from './measure.ts';

const rounds = Number(process.argv[2] ?? 20);
const folder = mkdtempSync(join(tmpdir(), 'kick-bench-'));
const AGENT = 'agent.bench';
const CONTROLLER = 'controller.bench';

async function main(): Promise<void> {
  const [{ model = 'unknown' } = {}] = cpus();
  console.log(`Node ${process.version}, ${cpus().length} x ${model}, ${rounds} rounds, medians\n`);
  const bare = await versionRow();
  show(bare.row);
  for (const row of await controllerRows(folder, rounds, bare.ms)) show(row);
  for (const row of await commandRows(bare.ms)) show(row);
  for (const row of await puppetRows(bare.ms)) show(row);
}

function show({ what, value, beside, promised }: Row): void {
  console.log(`${what.padEnd(46)} ${value.padStart(9)}   ${beside.padEnd(40)} promised: ${promised}`);
}

const ms = (value: number) => `${Math.round(value)} ms`;
const mb = (value: number) => `${value.toFixed(1)} MB`;
const ratio = (a: number, b: number) => `${(a / b).toFixed(2)} x`;

/** Taken in turns, so that what else the machine does falls on both. */
async function versionRow(): Promise<{ row: Row; ms: number }> {
  const [bare, own]: [number[], number[]] = [[], []];
  for (let i = 0; i < rounds; i++) {
    bare.push(await wallOfNode(['-e', '0']));
    own.push(await wallOfNode([BIN, '--version']));
  }
  const [a, b] = [median(own), median(bare)];
  const beside = `${ratio(a, b)} node -e 0 (${ms(b)})`;
  return { ms: b, row: { what: 'kick --version', value: ms(a), beside, promised: '<= 1.8 x' } };
}

// ---------------------------------------------------------------- a run that is nothing

/** The fixture notes when it began and ended: what is measured is kick, not the run. */
async function commandRows(bareMs: number): Promise<Row[]> {
  const pki = join(folder, 'pki');
  const authority = openAuthority(pki, { clock: systemClock });
  await authority.init('bench CA');
  await authority.issue({ name: AGENT, role: 'agent', keyType: 'p256', days: 60 });
  await authority.issue({ name: CONTROLLER, role: 'controller', keyType: 'p256', days: 60 });
  const times = join(folder, 'times');
  const program = join(folder, 'noted-run');
  writeFileSync(program, `#!/bin/sh\ndate +%s%N >"${times}"\nsleep 0.3\ndate +%s%N >>"${times}"\n`, {
    mode: 0o755,
  });
  writeFileSync(join(folder, 'agent.yaml'), JSON.stringify({ runner: 'command', command: [program] }));
  const common = ['--config-dir', folder, '--pki-dir', pki];
  const own = ['--state-dir', join(folder, 'agent'), '--run-dir', join(folder, 'run'), '--certname', AGENT];
  const agent = await startAgent([...common, ...own]);
  writeInventory(AGENT, agent);
  const kickArgs = [AGENT, ...common, '--state-dir', join(folder, 'kick'), '--certname', CONTROLLER];
  const [starts, ends]: [number[], number[]] = [[], []];
  try {
    for (let i = 0; i <= rounds; i++) {
      const { spawnedAt, printedAt } = await timedKick(kickArgs);
      const [began = 0, ended = 0] = readFileSync(times, 'utf8')
        .trim()
        .split('\n')
        .map((ns) => Number(ns) / 1e6);
      if (i === 0) continue; // the first warms the disk's cache
      starts.push(began - spawnedAt);
      ends.push(printedAt - ended);
    }
  } finally {
    await agent.stop();
  }
  const [start, end] = [median(starts), median(ends)];
  return [
    {
      what: 'kick started -> command began (runner: command)',
      value: ms(start),
      beside: `${ratio(start, bareMs)} node -e 0`,
      promised: '<= 250 ms',
    },
    {
      what: 'command ended -> outcome printed',
      value: ms(end),
      beside: `${ratio(end, bareMs)} node -e 0`,
      promised: '<= 150 ms',
    },
  ];
}

function writeInventory(name: string, { port }: BenchAgent): void {
  writeFileSync(
    join(folder, 'inventory.yaml'),
    JSON.stringify({ targets: [{ name, uri: `127.0.0.1:${port}` }] }),
  );
}

// ---------------------------------------------------------------- real Puppet

async function puppetRows(bareMs: number): Promise<Row[]> {
  if (!hasPuppet()) {
    console.log('(no puppet and puppetserver here: the rest is left out)');
    return [];
  }
  const lab = await startLab({ agents: 1 });
  try {
    return [...(await puppetTimes(lab, bareMs)), ...(await memoryRows(lab))];
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

const agentFolders = (name: string) => [
  ...['--config-dir', join(folder, name), '--state-dir', join(folder, name, 'state')],
  ...['--run-dir', join(folder, name, 'run')],
];

async function puppetTimes(lab: Lab, bareMs: number): Promise<Row[]> {
  const certname = lab.certnameOf('agent1');
  mkdirSync(join(folder, 'puppet'));
  const agent = await startAgent(['--puppet', lab.puppetOf('agent1'), ...agentFolders('puppet')]);
  writeInventory(certname, agent);
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

/** Beside Puppet's own daemon; all have served once and are idle. */
async function memoryRows(lab: Lab): Promise<Row[]> {
  const resident = residentPuppet(lab);
  const asUnit = await idleAgent(lab, 'unit', unitOptions());
  const plain = await idleAgent(lab, 'plain', '');
  const puppet = rssOf(resident);
  process.kill(resident, 'SIGTERM');
  const beside = (own: number) => `${ratio(own, puppet)} a resident puppet agent (${mb(puppet)})`;
  return [
    {
      what: 'kick agent, idle, as its unit starts it',
      value: mb(asUnit),
      beside: beside(asUnit),
      promised: '<= 60 MB',
    },
    { what: 'kick agent, idle, from a shell', value: mb(plain), beside: beside(plain), promised: '-' },
  ];
}

/** What the unit file says to Node. */
function unitOptions(): string {
  const unit = join(import.meta.dirname, '..', 'packaging', 'systemd', 'kick-agent.service');
  return /^Environment="NODE_OPTIONS=(.*)"$/m.exec(readFileSync(unit, 'utf8'))?.[1] ?? '';
}

async function idleAgent(lab: Lab, name: string, nodeOptions: string): Promise<number> {
  const args = ['--puppet', lab.puppetOf('agent1'), ...agentFolders(name)];
  const agent = await startAgent(args, nodeOptions);
  const certname = lab.certnameOf('agent1');
  writeInventory(certname, agent);
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

try {
  await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
