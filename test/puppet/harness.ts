/** Real agents and real kicks in the lab, each with folders of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { ProcessId } from '../../src/util/proc.ts';
import { type AgentProcess, agentCommand, isOver, startAgentProcess } from '../../tools/agent-process.ts';
import { freePort } from '../../tools/loopback.ts';
import { PROGRAM } from '../../tools/program.ts';
import { type Lab, openLab } from '../lab/lab.ts';
import { ended } from '../support/kick.ts';
import { ENVIRONMENT, heldRunOf, hold, newMessage } from './runs.ts';

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
  let port = await freePort();
  let running: AgentProcess | undefined;

  async function start(): Promise<void> {
    if (running !== undefined && !isOver(running.process)) return;
    const folders = { configDir, stateDir: join(home, 'state'), runDir: join(home, 'run'), port };
    running = await startAgentProcess([...agentCommand(folders), '--puppet', lab.puppetOf(agent)], {
      ...{ cwd: '/', env: ENVIRONMENT, stderr: 'collect' },
      onLine(line) {
        appendFileSync(join(home, 'agent.log'), `${line}\n`);
        log.push(parseLogLine(line));
      },
    });
    ({ port } = running);
  }

  function logged(what: string, holds: (line: LogLine) => boolean, from = log.length): Promise<LogLine> {
    return until(`${agent}: ${what}`, () => {
      const found = log.slice(from).find(holds);
      if (found === undefined && running !== undefined && isOver(running.process)) {
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
    signal: (name) => running?.process.kill(name),
    end: async (signal) => running?.kill(signal),
    startAgain: start,
  };
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

/** What `--format json` tells of one host, as far as the tests look at it. */
export interface HostResult {
  certname: string;
  outcome: string;
  message?: string;
  run?: { exit?: number };
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
  /** A broker through which the agents are reached. */
  nats?: string;
  /** Its folders lie below this one. */
  home: string;
  /** As who it kicks: by default as the Puppet server. Without --pki-dir it asks Puppet where its certificates are. */
  as?: readonly string[];
}

/** Where `kick` runs: it finds the agents on their ports by an inventory. */
export function controllerFor(
  lab: Lab,
  agents: readonly Pick<RunningAgent, 'certname' | 'port'>[],
  { home, nats, as = ['--pki-dir', lab.serverSsl, '--certname', 'puppet.lab'] }: ControllerOptions,
): Controller {
  mkdirSync(join(home, 'etc'), { recursive: true });
  const reach = (port: number) => (nats === undefined ? `uri: 127.0.0.1:${port}` : 'via: nats');
  const targets = agents.map(({ certname, port }) => `  - name: ${certname}\n    ${reach(port)}\n`);
  if (nats !== undefined)
    writeFileSync(join(home, 'etc', 'controller.yaml'), `nats: {servers: ['${nats}']}\n`);
  writeFileSync(join(home, 'etc', 'inventory.yaml'), `targets:\n${targets.join('')}`);
  const start = (...args: string[]): RunningKick => {
    const all = ['run', ...args, '--format', 'json', ...as, ...folderOptions(home)];
    const child = spawnKick(all);
    return { process: child, result: resultOf(child) };
  };
  return { start, kick: (...args) => start(...args).result };
}

/** Any command of kick, to its end, with the folders of `home`. */
export async function kickCommand(
  home: string,
  ...args: string[]
): Promise<{ exit: number | null; stdout: string; stderr: string }> {
  return endOf(spawnKick([...args, ...folderOptions(home)]));
}

function spawnKick(words: readonly string[]): ChildProcess {
  return spawn(process.execPath, [PROGRAM, ...words], {
    cwd: '/',
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function resultOf(child: ChildProcess): Promise<KickResult> {
  const end = await endOf(child);
  return { ...end, hosts: hostsOf(end.stdout) };
}

async function endOf(child: ChildProcess): Promise<Omit<KickResult, 'hosts'>> {
  const { out: stdout, err: stderr, code: exit } = await ended(child);
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
  { agent, certname, controller }: Omit<Place, 'running'>,
): Promise<{ kick: RunningKick; puppet: ProcessId }> {
  await hold(lab, agent);
  const kick = controller.start(certname);
  const puppet = await until('the run', () => heldRunOf(lab, agent));
  return { kick, puppet };
}
