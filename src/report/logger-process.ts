/** A program like logger(1), which takes the lines of the system's log with their priority in front. */
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { safeJsonText } from '../util/text.ts';

/** pino's levels as priorities (RFC 5424, 6.2.1), from the highest. */
const PRIORITIES = [
  [60, 2],
  [50, 3],
  [40, 4],
  [30, 6],
  [0, 7],
] as const;

/** Milliseconds that the program may take to end once it has all lines. */
const MAX_WAIT_MS = 3000;

export interface LoggerProcess {
  /** A line of pino's. */
  write(line: string): void;
  /** Resolves when the program has ended, or has had its time. */
  close(): Promise<void>;
}

/** A logger that is not there, or goes away, costs its lines and nothing else. */
export function startLogger([program = '', ...args]: readonly string[]): LoggerProcess {
  // In a session of its own: Ctrl-C does not end it.
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.stdin.on('error', () => undefined);
  // Who ends without closing it does not wait for it.
  child.unref();
  (child.stdin as Socket).unref();
  const gone = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  return {
    write(line) {
      child.stdin.write(withPriority(line));
    },
    async close() {
      child.stdin.end();
      let late: NodeJS.Timeout | undefined;
      const over = new Promise<void>((resolve) => {
        late = setTimeout(resolve, MAX_WAIT_MS);
      });
      await Promise.race([gone, over]);
      clearTimeout(late);
      child.stdin.destroy();
    },
  };
}

function withPriority(line: string): string {
  const level = Number(/"level":(\d+)/.exec(line)?.[1] ?? 30);
  const [, priority = 6] = PRIORITIES.find(([least]) => level >= least) ?? [];
  return `<${priority}>${safeJsonText(line)}`;
}
