/** An agent whose port or socket another process holds, as systemd does for kick-agent.socket and kick-helper.socket. */
import { join } from 'node:path';
import { type AgentProcess, type StartOptions, startAgentProcess } from './agent-process.ts';

const HOLDER = join(import.meta.dirname, 'socket-holder.py');

/** A line of the log of holder or agent. */
export interface LogLine {
  msg: string;
  [field: string]: unknown;
}

export interface HeldAgent extends Omit<AgentProcess, 'pid'> {
  /** Every line so far. */
  readonly lines: readonly LogLine[];
  /** How often a line with this message has come. */
  count(msg: string): number;
  /** Ends the agent and starts the next, as `systemctl restart` does. */
  restart(): void;
}

/** Resolves when the port is held; the agent starts with the first connection, and again after its end. Needs python3. */
export async function startHeldAgent(
  command: readonly string[],
  {
    path,
    ...options
  }: Omit<StartOptions, 'ready' | 'onLine' | 'env'> & {
    onLine?: (line: LogLine) => void;
    /** Of a socket, in the place of a port. */
    path?: string;
  } = {},
): Promise<HeldAgent> {
  const lines: LogLine[] = [];
  const holder = await startAgentProcess(['python3', HOLDER, ...command], {
    ...options,
    env: { ...process.env, ...(path !== undefined && { HOLD_PATH: path }) },
    ready: 'holding',
    onLine(text) {
      if (!text.startsWith('{')) return;
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      options.onLine?.(line);
    },
  });
  return {
    ...holder,
    lines,
    count: (msg) => lines.filter((line) => line.msg === msg).length,
    restart: () => void holder.process.kill('SIGUSR2'),
  };
}
