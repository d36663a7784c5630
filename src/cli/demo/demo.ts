/** `kick demo`: a throwaway CA, three agents on loopback, and what a kick does. Nothing of the host is touched. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { layoutOf } from '../../agent/layout.ts';
import { KickError } from '../../errors.ts';
import { openAuthority } from '../../pki/authority.ts';
import { findPuppet } from '../../puppet/binary.ts';
import { sleep, systemClock } from '../../util/clock.ts';
import { flockHolders } from '../../util/proc.ts';
import type { Terminal } from '../terminal.ts';
import { puppetFixture, sampleFixture } from './demo-runs.ts';

export interface DemoOptions {
  terminal: Terminal;
  /** The variable PATH. */
  path: string;
  /** Run a sample command even where Puppet is installed. */
  sample: boolean;
}

const NAMES = ['agent1.demo', 'agent2.demo', 'agent3.demo'] as const;
const CONTROLLER = 'controller.demo';
const STRANGER = 'stranger.demo';
const READY_WITHIN_MS = 60_000;

/** One demo: its folder, its agents and where it says what it does. */
interface Stage {
  folder: string;
  agents: DemoAgent[];
  terminal: Terminal;
}

/** Resolves to the exit status: 0 when everything went as a demo should. */
export async function demoMain({ terminal, path, sample }: DemoOptions): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'kick-demo-'));
  const stage: Stage = { folder, agents: [], terminal };
  const cleanUp = async () => {
    await Promise.all(stage.agents.map(stopAgent));
    await rm(folder, { recursive: true, force: true });
  };
  const onSignal = () => void cleanUp().then(() => process.exit(130));
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  try {
    await setUp(stage, sample ? undefined : puppetIfAny(path));
    const isGood = await play(stage);
    say(stage, isGood ? 'that was all; cleaning up' : 'something did not go as it should, see above');
    return isGood ? 0 : 1;
  } finally {
    await cleanUp();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
}

function say({ terminal }: Stage, text: string): void {
  terminal.out(`\n== ${text}\n`);
}

async function setUp(stage: Stage, puppet: string | undefined): Promise<void> {
  const { folder, agents } = stage;
  say(
    stage,
    puppet === undefined
      ? 'no Puppet here: the agents run a sample command'
      : `the agents run "${puppet} apply"`,
  );
  await makeCertificates(join(folder, 'pki'));
  say(stage, `a throwaway CA and certificates, in ${folder}`);
  for (const name of NAMES) agents.push(await startAgent(folder, name, puppet));
  await writeController(folder, agents);
  const where = agents.map(({ name, port }) => `${name} on 127.0.0.1:${port}`).join(', ');
  say(stage, `three agents listen: ${where}`);
}

/** Whether every act went as it should. */
async function play(stage: Stage): Promise<boolean> {
  const detached = [...NAMES, '--detach', '--reason', 'a run to wait for'];
  const stranger = [NAMES[0], '--certname', STRANGER];
  const checks = [
    await act(stage, { what: 'kick them: real runs, waited for', words: NAMES, expected: 0 }),
    await act(stage, { what: 'again, detached: asked and left alone', words: detached, expected: 0 }),
    await together(stage),
    await act(stage, {
      what: 'a stranger, whom no agent.yaml names, is refused',
      words: stranger,
      expected: 3,
    }),
  ];
  return checks.every(Boolean);
}

interface Act {
  what: string;
  words: readonly string[];
  /** Its exit code. */
  expected: number;
}

/** Shows a command and runs it; whether its exit code is the expected one. */
async function act(stage: Stage, { what, words, expected }: Act): Promise<boolean> {
  const { folder, terminal } = stage;
  say(stage, what);
  terminal.out(`$ kick ${words.join(' ')}\n`);
  const code = await exitOf(kick(folder, words, 'inherit'));
  terminal.out(`exit ${code}\n`);
  return code === expected;
}

/** Two kicks at once while the hosts are busy: both wait, and one run on each host serves both. */
async function together(stage: Stage): Promise<boolean> {
  const { folder, terminal } = stage;
  say(stage, 'two kicks while those runs last: they wait, and share the next run of each host');
  terminal.out(`$ kick ${NAMES.join(' ')} &\n$ kick ${NAMES.join(' ')} --format jsonl &\n`);
  const second = kick(folder, [...NAMES, '--format', 'jsonl'], 'pipe');
  const first = kick(folder, [...NAMES], 'inherit');
  const serves = servedBy(second);
  const codes = await Promise.all([exitOf(first), exitOf(second)]);
  const found = await serves;
  for (const [name, count] of found) terminal.out(`${name}: one run served ${count} requests\n`);
  return codes.every((code) => code === 0) && found.size === NAMES.length;
}

function puppetIfAny(path: string): string | undefined {
  try {
    return findPuppet({ path });
  } catch {
    return undefined;
  }
}

async function makeCertificates(dir: string): Promise<void> {
  const authority = openAuthority(dir, { clock: systemClock });
  await authority.init('kick demo CA');
  for (const name of NAMES) await authority.issue({ name, role: 'agent', keyType: 'p256', days: 60 });
  for (const name of [CONTROLLER, STRANGER]) {
    await authority.issue({ name, role: 'controller', keyType: 'p256', days: 60 });
  }
}

interface DemoAgent {
  name: string;
  port: number;
  process: ChildProcess;
  runDir: string;
}

async function startAgent(folder: string, name: string, puppet: string | undefined): Promise<DemoAgent> {
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const runner = puppet === undefined ? await sampleFixture(own) : await puppetFixture(own, puppet);
  const config = { ...runner, trust_pp_cli_auth: false, controllers: [CONTROLLER] };
  await writeFile(join(own, 'agent.yaml'), JSON.stringify(config));
  const runDir = join(own, 'run');
  const child = kickProcess(
    [
      ...['agent', '--port', '0', '--bind', '127.0.0.1', '--config-dir', own, '--certname', name],
      ...['--state-dir', join(own, 'state'), '--run-dir', runDir, '--pki-dir', join(folder, 'pki')],
    ],
    ['ignore', 'pipe', 'inherit'],
  );
  return { name, runDir, process: child, port: await portOf(child, name) };
}

/** The agent logs its port when it is ready. */
function portOf(child: ChildProcess, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const log: string[] = [];
    const fail = () =>
      reject(new KickError('internal', `start ${name}: it did not come up\n${log.join('\n')}`));
    const timer = setTimeout(fail, READY_WITHIN_MS);
    child.once('exit', fail);
    if (child.stdout === null) return fail();
    createInterface({ input: child.stdout }).on('line', (line) => {
      log.push(line);
      const { msg, port } = JSON.parse(line) as { msg?: string; port?: number };
      if (msg !== 'listening' || port === undefined) return;
      clearTimeout(timer);
      child.off('exit', fail);
      resolve(port);
    });
  });
}

async function writeController(folder: string, agents: readonly DemoAgent[]): Promise<void> {
  const targets = agents.map(({ name, port }) => ({ name, uri: `127.0.0.1:${port}` }));
  await writeFile(join(folder, 'inventory.yaml'), JSON.stringify({ targets }));
}

function kick(folder: string, words: readonly string[], stdout: 'inherit' | 'pipe'): ChildProcess {
  const named = words.includes('--certname') ? [] : ['--certname', CONTROLLER];
  const folders = [
    '--config-dir',
    folder,
    '--state-dir',
    join(folder, 'state'),
    '--pki-dir',
    join(folder, 'pki'),
  ];
  return kickProcess(
    ['run', ...words, ...named, ...folders],
    ['ignore', stdout, stdout === 'pipe' ? 'ignore' : 'inherit'],
  );
}

type Stdio = ('ignore' | 'inherit' | 'pipe')[];

/** This very program once more. */
function kickProcess(words: readonly string[], stdio: Stdio): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...words], { stdio });
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

/** How many requests each host's run served, from its `started` event. */
async function servedBy(child: ChildProcess): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (child.stdout === null) return found;
  for await (const line of createInterface({ input: child.stdout })) {
    const { certname, event } = JSON.parse(line) as {
      certname?: string;
      event?: { type: string; serves?: number };
    };
    if (event?.type === 'started' && certname !== undefined) found.set(certname, event.serves ?? 1);
  }
  return found;
}

/** Ends the agent, and waits for what it has begun: a run outlives its agent. */
async function stopAgent({ process: child, runDir }: DemoAgent): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null) await exitOf(child);
  const { runLock } = layoutOf('/', runDir);
  while (flockHolders(runLock).length > 0) await sleep(100);
}
