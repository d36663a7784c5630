/** Real agents and real kicks in the lab, each with folders of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { inject, onTestFinished } from 'vitest';
import { identify, type ProcessId } from '../../src/util/proc.ts';
import { type Lab, openLab } from '../lab/lab.ts';
import { PROGRAM } from '../support/build.ts';

/** Nothing of the tests' own environment reaches the programs. */
const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };

export function useLab(): Lab {
  return openLab(inject('lab'));
}

/** Resolves when `look` finds something; an error naming `what` after `seconds`. */
export async function until<T>(what: string, look: () => T | undefined | false, seconds = 500): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`waited ${seconds} s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

// ---------------------------------------------------------------- kick agent

/** A line of the agent's log. */
export type LogLine = Record<string, unknown> & { msg: string };

export interface RunningAgent {
  /** In the lab: `agent1`. */
  readonly agent: string;
  readonly certname: string;
  readonly port: number;
  readonly log: readonly LogLine[];
  /** Resolves to the first line, from now on or since `from`, for which it holds. */
  logged(what: string, holds: (line: LogLine) => boolean, from?: number): Promise<LogLine>;
  signal(name: NodeJS.Signals): void;
  /** Ends it and waits until it is gone. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again, on the same port and with the same folders; nothing where it runs. */
  startAgain(): Promise<void>;
}

/** `kick agent` for one of the lab's agents, with nothing configured but where things are. */
export async function startAgent(lab: Lab, agent: string, { yaml = '' } = {}): Promise<RunningAgent> {
  const home = join(lab.dirOf(agent), 'kick');
  const configDir = join(home, 'etc');
  mkdirSync(configDir, { recursive: true });
  writeFileSync(join(configDir, 'agent.yaml'), yaml);
  const log: LogLine[] = [];
  let port = 0;
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    if (child !== undefined && !isOver(child)) return;
    const from = log.length;
    child = spawnAgent();
    const ready = await logged('the agent to listen', ({ msg }) => msg === 'listening', from);
    port = Number(ready['port']);
  }

  function spawnAgent(): ChildProcess {
    const args = [
      ...['agent', '--puppet', lab.puppetOf(agent), '--port', String(port), '--bind', '127.0.0.1'],
      ...folderOptions(home),
    ];
    const started = spawn(process.execPath, [PROGRAM, ...args], {
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (line: string) => {
      appendFileSync(join(home, 'agent.log'), `${line}\n`);
      log.push(parseLogLine(line));
    };
    createInterface({ input: started.stdout }).on('line', keep);
    createInterface({ input: started.stderr }).on('line', keep);
    return started;
  }

  function logged(what: string, holds: (line: LogLine) => boolean, from = log.length): Promise<LogLine> {
    return until(`${agent}: ${what}`, () => {
      const found = log.slice(from).find(holds);
      if (found === undefined && child !== undefined && isOver(child)) {
        throw new Error(`${agent} ended while we waited for: ${what}\n${JSON.stringify(log.slice(from))}`);
      }
      return found;
    });
  }

  await start();
  return {
    agent,
    certname: lab.certnameOf(agent),
    log,
    logged,
    get port() {
      return port;
    },
    signal: (name) => child?.kill(name),
    async end(signal) {
      if (child === undefined || isOver(child)) return;
      const gone = once(child, 'exit');
      child.kill(signal);
      await gone;
    },
    startAgain: start,
  };
}

function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function parseLogLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { msg: line };
  }
}

function folderOptions(home: string): string[] {
  return [
    ...['--config-dir', join(home, 'etc')],
    ...['--state-dir', join(home, 'state')],
    ...['--run-dir', join(home, 'run')],
  ];
}

// ---------------------------------------------------------------- kick run

/** What `--format json` tells of one host, as far as the tests look at it. */
export interface HostResult {
  certname: string;
  outcome: string;
  message?: string;
}

export interface KickResult {
  exit: number | null;
  /** By certname. */
  hosts: Record<string, HostResult>;
  stdout: string;
  stderr: string;
}

export interface RunningKick {
  process: ChildProcess;
  /** Resolves when it has ended. */
  result: Promise<KickResult>;
}

export interface Controller {
  /** `kick run ARGS --format json`, to its end. */
  kick(...args: string[]): Promise<KickResult>;
  /** The same, resolving at once. */
  start(...args: string[]): RunningKick;
}

export interface ControllerOptions {
  /** Its folders lie below this one. */
  home: string;
  /** As who it kicks: by default as the Puppet server. Without --pki-dir it asks Puppet where its certificates are. */
  as?: readonly string[];
}

/** Where `kick` runs: it finds the agents on their ports by an inventory. */
export function controllerFor(
  lab: Lab,
  agents: readonly RunningAgent[],
  { home, as = ['--pki-dir', lab.serverSsl, '--certname', 'puppet.lab'] }: ControllerOptions,
): Controller {
  mkdirSync(join(home, 'etc'), { recursive: true });
  const targets = agents.map(({ certname, port }) => `  - name: ${certname}\n    uri: 127.0.0.1:${port}\n`);
  writeFileSync(join(home, 'etc', 'inventory.yaml'), `targets:\n${targets.join('')}`);
  const start = (...args: string[]): RunningKick => {
    const all = ['run', ...args, '--format', 'json', ...as, ...folderOptions(home)];
    const child = spawn(process.execPath, [PROGRAM, ...all], {
      cwd: '/',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return { process: child, result: resultOf(child) };
  };
  return { start, kick: (...args) => start(...args).result };
}

/** Any command of kick, to its end, with the folders of `home`. */
export async function kickCommand(
  home: string,
  ...args: string[]
): Promise<{ exit: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [PROGRAM, ...args, ...folderOptions(home)], {
    cwd: '/',
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return endOf(child);
}

async function resultOf(child: ChildProcess): Promise<KickResult> {
  const end = await endOf(child);
  return { ...end, hosts: hostsOf(end.stdout) };
}

async function endOf(child: ChildProcess): Promise<Omit<KickResult, 'hosts'>> {
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const [exit] = (await once(child, 'close')) as [number | null];
  return { exit, stdout, stderr };
}

function hostsOf(stdout: string): Record<string, HostResult> {
  if (!stdout.trimStart().startsWith('{')) return {};
  const { hosts } = JSON.parse(stdout) as { hosts: HostResult[] };
  return Object.fromEntries(hosts.map((one) => [one.certname, one]));
}

/** `{agent1: 'changed'}`: what a kick said of the lab's agents. */
export function outcomesOf({ hosts }: KickResult): Record<string, string> {
  return Object.fromEntries(
    Object.entries(hosts).map(([certname, { outcome }]) => [certname.replace(/\.lab$/, ''), outcome]),
  );
}

/** An agent of the lab with a controller of its own, once kicked: its next run changes nothing. */
export interface Place {
  readonly agent: string;
  readonly certname: string;
  readonly running: RunningAgent;
  readonly controller: Controller;
}

export async function placeOf(lab: Lab, agent: string, options: { yaml?: string } = {}): Promise<Place> {
  const running = await startAgent(lab, agent, options);
  const controller = controllerFor(lab, [running], { home: join(lab.dir, `controller-${agent}`) });
  const certname = lab.certnameOf(agent);
  await newMessage(lab, agent);
  const first = await controller.kick(certname);
  if (first.exit !== 0) throw new Error(`the first kick of ${agent}: ${JSON.stringify(first)}`);
  return { agent, certname, running, controller };
}

/** A kick whose run has its catalog and stops in it until it is let go (or killed). */
export async function kickInRun(
  lab: Lab,
  { agent, certname, controller }: Place,
): Promise<{ kick: RunningKick; puppet: ProcessId }> {
  await hold(lab, agent);
  const kick = controller.start(certname);
  const puppet = await until('the run', () => heldRunOf(lab, agent));
  return { kick, puppet };
}

/** From now on runs of this agent stop in their catalog. */
export async function hold(lab: Lab, agent: string): Promise<void> {
  for (const name of ['go', 'held']) rmSync(join(lab.dirOf(agent), name), { force: true });
  await lab.set(agent, 'hold', true);
}

/** Lets the run go on that is held, and stops no more of them. */
export async function letGo(lab: Lab, agent: string): Promise<void> {
  await lab.unset(agent, 'hold');
  writeFileSync(join(lab.dirOf(agent), 'go'), '');
}

/** The Puppet run that is held in its catalog. */
export function heldRunOf(lab: Lab, agent: string): ProcessId | undefined {
  const path = join(lab.dirOf(agent), 'held');
  return existsSync(path) ? identify(Number(readFileSync(path, 'utf8'))) : undefined;
}

// ---------------------------------------------------------------- what Puppet did

/** What the lab's class has written on the agent; undefined before its first run. */
export function messageOn(lab: Lab, agent: string): string | undefined {
  const path = join(lab.dirOf(agent), 'managed', 'message');
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd() : undefined;
}

/** How often this agent has asked the server for a catalog: once a run. */
export function catalogsOf(lab: Lab, agent: string): number {
  const log = readFileSync(join(lab.dir, 'server', 'log', 'access.log'), 'utf8');
  return log.split(`/puppet/v3/catalog/${lab.certnameOf(agent)}?`).length - 1;
}

/** The Puppet that holds the agent's run lock. */
export function puppetRunOf(lab: Lab, agent: string): ProcessId | undefined {
  const path = join(lab.dirOf(agent), 'var', 'state', 'agent_catalog_run.lock');
  const pid = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
  return pid > 0 ? identify(pid) : undefined;
}

/** `puppet agent --onetime` for an agent, not by kick. `detached` as cron's: nobody's child. */
export function puppetByHand(lab: Lab, agent: string, { detached = false } = {}): ChildProcess {
  const args = detached
    ? [
        'agent',
        '--onetime',
        '--no-daemonize',
        '--no-splay',
        '--logdest',
        join(lab.dirOf(agent), 'log', 'cron.log'),
      ]
    : ['agent', '--test', '--color=false'];
  const child = spawn(lab.puppetOf(agent), args, { env: ENVIRONMENT, detached, stdio: 'ignore' });
  if (detached) child.unref();
  return child;
}

/** Runs `puppet agent ARGS` for an agent and waits for its end. */
export async function puppetAgent(lab: Lab, agent: string, ...args: string[]): Promise<void> {
  const child = spawn(lab.puppetOf(agent), ['agent', ...args], { env: ENVIRONMENT, stdio: 'ignore' });
  await once(child, 'exit');
}

/** Adds lines to section [agent] of an agent's puppet.conf until the test is over. */
export function puppetConf(lab: Lab, agent: string, ...lines: string[]): void {
  const path = join(lab.dirOf(agent), 'conf', 'puppet.conf');
  const before = readFileSync(path, 'utf8');
  const names = lines.map((line) => line.split('=')[0]?.trim());
  const kept = before.split('\n').filter((line) => !names.includes(line.split('=')[0]?.trim()));
  writeFileSync(path, `${kept.join('\n').trimEnd()}\n${lines.join('\n')}\n`); // [agent] is its last section
  onTestFinished(() => writeFileSync(path, before));
}

let count = 0;

/** A message that this agent does not have yet: its next run changes one file. */
export async function newMessage(lab: Lab, agent: string): Promise<string> {
  const message = `${agent}-${process.pid}-${++count}`;
  await lab.set(agent, 'message', message);
  return message;
}

/** Undoes what a test has set, but for the message, so that a run of it would change nothing. */
export async function calm(lab: Lab, agent: string): Promise<void> {
  const message = messageOn(lab, agent);
  await lab.unset(agent);
  writeFileSync(join(lab.dirOf(agent), 'go'), ''); // what a test that failed has left
  if (message !== undefined) await lab.set(agent, 'message', message);
}
