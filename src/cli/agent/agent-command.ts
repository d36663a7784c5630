/**
 * The options of `kick agent`. A plain command line, such as the unit's, is parsed by Node itself: the agent stays in
 * memory, and so would commander. Help and usage errors are left to commander.
 */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { KickError } from '../../errors.ts';
import type { Environment } from '../context.ts';
import { FOLDER_OPTIONS, foldersFrom, type GivenFolders } from '../options/folders.ts';
import { reportError } from '../report-error.ts';
import { openTerminal } from '../terminal.ts';
import type { AgentMainOptions } from './agent-settings.ts';
import { takeSocket } from './systemd-socket.ts';

/** Flags and their descriptions. */
export const AGENT_OPTIONS = {
  port: ['--port <n>', 'port to listen on, 0 for any free one (default: 8139)'],
  bind: ['--bind <address>', 'address to listen on (default: all)'],
  runner: ['--runner <name>', 'puppet-agent, puppet-apply or command (default: puppet-agent)'],
  passTo: ['--pass-to <socket>', 'only listen, and pass requests on to the helper at this socket'],
  takeFrom: ['--take-from <socket>', 'be the helper: take requests from a listener at this socket'],
} as const;

/** The values given on the command line. */
export type GivenAgent = GivenFolders & { [name in keyof typeof AGENT_OPTIONS]?: string };

/** Takes systemd's socket out of `env` as well. Throws `KickError` `usage` or `config`. */
export function agentOptionsFrom(
  { port, bind, runner, passTo, takeFrom, ...folders }: GivenAgent,
  env: Environment,
) {
  if (passTo !== undefined && takeFrom !== undefined)
    throw new KickError('usage', '--pass-to: listener and helper (--take-from) are two processes');
  return {
    ...foldersFrom(folders, env),
    ...(port !== undefined && { port: portOf(port) }),
    ...(bind !== undefined && { bind }),
    ...(runner !== undefined && { runner }),
    ...(passTo !== undefined && { passTo: socketPath('--pass-to', passTo) }),
    ...(takeFrom !== undefined && { takeFrom: socketPath('--take-from', takeFrom) }),
    socket: takeSocket(env),
    path: env['PATH'] ?? '',
  } satisfies AgentMainOptions;
}

/** sun_path of unix(7), with its end. */
const MAX_SOCKET_PATH = 107;

function socketPath(flag: string, text: string): string {
  const path = resolve(text);
  if (text !== '' && Buffer.byteLength(path) <= MAX_SOCKET_PATH) return path;
  throw new KickError('usage', `${flag}: "${text}" is not the path of a socket`, {
    hint: `at most ${MAX_SOCKET_PATH} bytes`,
  });
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new KickError('usage', `--port: "${text}" is not a port`);
}

/** Parses `words`; undefined if they are anything but options with values. */
export function plainOptions(words: readonly string[]): GivenAgent | undefined {
  const known = Object.entries({ ...AGENT_OPTIONS, ...FOLDER_OPTIONS }).map(
    ([name, [flags]]) => [name, flags.replace(/^--(\S+) .*$/, '$1')] as const,
  );
  const options = Object.fromEntries(known.map(([, flag]) => [flag, { type: 'string' as const }]));
  try {
    const { values } = parseArgs({ args: [...words], options, strict: true });
    return Object.fromEntries(known.map(([name, flag]) => [name, values[flag]]));
  } catch {
    return undefined;
  }
}

/** The agent, or the half of it that is asked for. */
export async function runAgent(options: AgentMainOptions): Promise<void> {
  const { passTo } = options;
  if (passTo !== undefined) return (await import('./listener.ts')).listenerMain(options, passTo);
  return (await import('./agent.ts')).agentMain(options);
}

/** Runs the agent to its end if `words`, without "agent", are plain options; false otherwise. Never throws. */
export async function runPlainAgent(words: readonly string[], env: Environment): Promise<boolean> {
  const given = plainOptions(words);
  if (given === undefined) return false;
  try {
    const options = agentOptionsFrom(given, env);
    await runAgent(options);
  } catch (error) {
    process.exitCode = reportError(error, openTerminal({ noColor: true }), env);
  }
  return true;
}
