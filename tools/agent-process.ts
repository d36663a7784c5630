/** The one way to start `kick agent` as a process, for tests, benchmarks and tools; `kick serve` starts like it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { KICK } from './program.ts';

export interface AgentFolders {
  /** Holds agent.yaml. */
  configDir: string;
  /** Defaults to a folder in the one of the configuration. */
  stateDir?: string;
  runDir?: string;
  /** Defaults to Puppet's. */
  pkiDir?: string;
  certname?: string;
  /** Defaults to any that is free. */
  port?: number;
}

/** The command of an agent on 127.0.0.1. `kick`: what runs the program. */
export function agentCommand(folders: AgentFolders, kick: readonly string[] = KICK): string[] {
  const { configDir, pkiDir, certname, port = 0 } = folders;
  const { stateDir = join(configDir, 'state'), runDir = join(configDir, 'run') } = folders;
  return [
    ...[...kick, 'agent', '--port', String(port), '--bind', '127.0.0.1'],
    ...['--config-dir', configDir, '--state-dir', stateDir, '--run-dir', runDir],
    ...(pkiDir === undefined ? [] : ['--pki-dir', pkiDir]),
    ...(certname === undefined ? [] : ['--certname', certname]),
  ];
}

export interface StartOptions {
  /** Defaults to ours. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Its descriptor 3: a socket that listens. */
  inherit?: number;
  /** `collect`: what it says there is kept for `said`, not shown. Defaults to `inherit`. */
  stderr?: 'inherit' | 'collect';
  /** The message of its log that says its port; defaults to `listening`. */
  ready?: string;
  /** Called with each line of its log, and with those of stderr where they are collected. */
  onLine?: (line: string) => void;
  /** Called before anything can fail: so that the caller can always end it. */
  onSpawn?: (child: ChildProcess) => void;
}

export interface AgentProcess {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly port: number;
  /** What it has said on stderr. */
  said(): string;
  /** Sends a signal and waits until it has ended. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Resolves when it listens. Throws when it ends before. */
export async function startAgentProcess(
  [program = '', ...args]: readonly string[],
  { env, cwd, inherit, stderr = 'inherit', ready = 'listening', onLine, onSpawn }: StartOptions = {},
): Promise<AgentProcess> {
  const child = spawn(program, args, {
    ...(env !== undefined && { env }),
    ...(cwd !== undefined && { cwd }),
    stdio: [
      ...(['ignore', 'pipe', stderr === 'collect' ? 'pipe' : 'inherit'] as const),
      ...(inherit === undefined ? [] : [inherit]),
    ],
  });
  onSpawn?.(child);
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  if (child.stderr !== null && onLine !== undefined)
    createInterface({ input: child.stderr }).on('line', onLine);
  const port = await portOf(child, { said: () => said, ready, onLine });
  return {
    process: child,
    pid: child.pid ?? 0,
    port,
    said: () => said,
    async kill(signal = 'SIGTERM') {
      if (isOver(child)) return;
      const ended = once(child, 'close');
      child.kill(signal);
      await ended;
    },
  };
}

export function isOver({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** It logs its port when it is ready. */
function portOf(
  child: ChildProcess,
  { said, ready, onLine }: { said: () => string; ready: string; onLine: StartOptions['onLine'] },
): Promise<number> {
  const { stdout } = child;
  if (stdout === null) throw new Error('no output');
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: stdout });
    const log: string[] = [];
    let isReady = false;
    const fail = () => reject(new Error(`it ended before it was ready\n${log.join('\n')}\n${said()}`));
    child.once('error', reject);
    child.once('exit', fail);
    lines.on('line', (line) => {
      onLine?.(line);
      if (isReady) return;
      log.push(line);
      const port = portIn(line, ready);
      if (port === undefined) return;
      isReady = true;
      child.off('exit', fail);
      child.off('error', reject);
      if (onLine === undefined) {
        lines.close();
        stdout.resume();
      }
      resolve(port);
    });
  });
}

function portIn(line: string, ready: string): number | undefined {
  try {
    const { msg, port } = JSON.parse(line) as { msg?: string; port?: number };
    return msg === ready ? port : undefined;
  } catch {
    return undefined; // no line of its log
  }
}
