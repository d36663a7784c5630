/** `kick demo`: a throwaway CA, three agents on loopback, and a few kicks. Nothing on the host is touched. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KickError } from '../../errors.ts';
import { openAuthority } from '../../pki/authority.ts';
import { findPuppet } from '../../puppet/binary.ts';
import { systemClock } from '../../util/clock.ts';
import { print } from '../print.ts';
import type { Terminal } from '../terminal.ts';
import { puppetFixture, runIsOver, sampleFixture, servedBy } from './demo-runs.ts';

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

/** SIGHUP: its terminal was closed. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One demo: its folder, its processes and its terminal. */
interface Stage {
  folder: string;
  agents: DemoAgent[];
  /** Those that run: agents from before they listen, and kicks. */
  children: Set<ChildProcess>;
  /** A signal has come: nothing more is started. */
  isEnding: boolean;
  terminal: Terminal;
}

/** Resolves to the exit status: 0 if everything went as it should. */
export async function demoMain({ terminal, path, sample }: DemoOptions): Promise<number> {
  process.umask(0o077); // what others could write would be refused
  const folder = await mkdtemp(join(tmpdir(), 'kick-demo-'));
  const stage: Stage = { folder, agents: [], children: new Set(), isEnding: false, terminal };
  const cleanUp = async () => {
    await Promise.all([...stage.children].map(stop));
    await Promise.all(stage.agents.map(({ runDir }) => runIsOver(runDir)));
    // A run that has just begun still writes there.
    await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };
  let ending: Promise<void> | undefined;
  const onSignal = () => {
    stage.isEnding = true;
    // A terminal that is closed says so more than once.
    ending ??= cleanUp().finally(() => process.exit(130));
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    await setUp(stage, sample ? undefined : puppetIfAny(path));
    const isGood = await play(stage);
    say(stage, isGood ? 'that was all; cleaning up' : 'something did not go as it should, see above');
    return isGood ? 0 : 1;
  } finally {
    await (ending ?? cleanUp());
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
}

function say({ terminal }: Stage, text: string): void {
  print(terminal, `\n== ${text}\n`);
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
  for (const name of NAMES) agents.push(await startAgent(stage, name, puppet));
  await writeController(folder, agents);
  const where = agents.map(({ name, port }) => `${name} on 127.0.0.1:${port}`).join(', ');
  say(stage, `three agents listen: ${where}`);
}

/** Returns whether every act went as it should. */
async function play(stage: Stage): Promise<boolean> {
  const detached = [...NAMES, '--detach', '--reason', 'a run to wait for'];
  const stranger = [NAMES[0], '--certname', STRANGER];
  const checks = [
    await act(stage, { what: 'kick them: real runs, waited for', words: NAMES, expected: 0 }),
    await act(stage, { what: 'again, detached: asked and left alone', words: detached, expected: 0 }),
    await together(stage),
    await act(stage, {
      what: 'a stranger that no agent.yaml names is refused',
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

/** Shows a command and runs it; returns whether its exit code is the expected one. */
async function act(stage: Stage, { what, words, expected }: Act): Promise<boolean> {
  const { terminal } = stage;
  say(stage, what);
  print(terminal, `$ kick ${words.map(asTyped).join(' ')}\n`);
  const code = await exitOf(kick(stage, words, 'inherit'));
  terminal.out(`exit ${code}\n`);
  return code === expected;
}

const asTyped = (word: string) => (word.includes(' ') ? `'${word}'` : word);

/** Two kicks at once while the hosts are busy: both wait, and one run on each host serves both. */
async function together(stage: Stage): Promise<boolean> {
  const { terminal } = stage;
  say(stage, 'two kicks while those runs last: they wait, and share the next run of each host');
  terminal.out(`$ kick ${NAMES.join(' ')} &\n$ kick ${NAMES.join(' ')} --format jsonl &\n`);
  const second = kick(stage, [...NAMES, '--format', 'jsonl'], 'pipe');
  const first = kick(stage, [...NAMES], 'inherit');
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
  runDir: string;
}

async function startAgent(stage: Stage, name: string, puppet: string | undefined): Promise<DemoAgent> {
  const { folder } = stage;
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const runner = puppet === undefined ? await sampleFixture(own) : await puppetFixture(own, puppet);
  const config = { ...runner, trust_pp_cli_auth: false, controllers: [CONTROLLER] };
  await writeFile(join(own, 'agent.yaml'), JSON.stringify(config));
  const runDir = join(own, 'run');
  const child = kickProcess(
    stage,
    [
      ...['agent', '--port', '0', '--bind', '127.0.0.1', '--config-dir', own, '--certname', name],
      ...['--state-dir', join(own, 'state'), '--run-dir', runDir, '--pki-dir', join(folder, 'pki')],
    ],
    ['ignore', 'pipe', 'inherit'],
  );
  return { name, runDir, port: await portOf(child, name) };
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

function kick(stage: Stage, words: readonly string[], stdout: 'inherit' | 'pipe'): ChildProcess {
  const { folder } = stage;
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
    stage,
    ['run', ...words, ...named, ...folders],
    ['ignore', stdout, stdout === 'pipe' ? 'ignore' : 'inherit'],
  );
}

/** Starts this program again; it is ended with the demo. */
function kickProcess(
  { children, isEnding }: Stage,
  words: readonly string[],
  stdio: ('ignore' | 'inherit' | 'pipe')[],
): ChildProcess {
  if (isEnding) throw new KickError('input', 'show the demo: it was interrupted');
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...words], { stdio });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = exitOf(child);
  child.kill('SIGTERM');
  await exited;
}
