/** Runs a program and returns its output: bounded in time and size, without a shell, with an empty stdin. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';

export interface ProgramOptions {
  /** Milliseconds after which it and its children are killed. */
  timeoutMs: number;
  /** Maximum bytes of stdout. */
  maxBytes: number;
  env: Readonly<Record<string, string>>;
  /** Milliseconds without output after which a program that is over has said all, though a child of it holds its stdout; defaults to a second. */
  quietMs?: number;
  /** Called if a child holds its stdout, so that what that may print later is not read. */
  onHeld?: () => void;
}

const QUIET_MS = 1000;

const MAX_ERROR_BYTES = 4096;

/**
 * Resolves to its stdout once it has exited with 0. Rejects with an `Error` that says what went wrong: it
 * could not be started, hung, printed too much, or failed (with the last line of its stderr). What it leaves running is
 * not waited for, and killed only with a program that hangs or prints too much.
 */
export function outputOf(argv: readonly string[], options: ProgramOptions): Promise<Buffer> {
  const { timeoutMs, maxBytes, quietMs = QUIET_MS } = options;
  return new Promise((resolve, reject) => {
    const child = start(argv, options.env);
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    let ended: Ended | undefined;
    let quiet: NodeJS.Timeout | undefined;
    let isOver = false;

    const settle = (why: string | undefined) => {
      isOver = true;
      clearTimeout(timer);
      clearTimeout(quiet);
      // Whoever still has the other ends must not keep us.
      child.stdout.destroy();
      child.stderr.destroy();
      if (why === undefined) resolve(Buffer.concat(chunks));
      else reject(new Error(why));
    };
    const giveUp = (why: string) => {
      killGroup(child.pid);
      settle(why);
    };
    const finish = () => settle(ended === undefined ? undefined : problemOf(ended, stderr));
    const heard = () => {
      if (ended === undefined || isOver) return;
      clearTimeout(quiet);
      quiet = setTimeout(() => {
        options.onHeld?.();
        finish();
      }, quietMs);
    };
    const timer = setTimeout(() => giveUp(`it did not end within ${timeoutMs / 1000} s`), timeoutMs);
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > maxBytes) giveUp(`it printed more than ${maxBytes} bytes`);
      else chunks.push(chunk);
      heard();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-MAX_ERROR_BYTES);
    });
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => {
      ended = { code, signal };
      heard();
    });
    child.once('close', finish);
  });
}

interface Ended {
  code: number | null;
  signal: NodeJS.Signals | null;
}

function start(
  [program = '', ...args]: readonly string[],
  env: ProgramOptions['env'],
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(program, args, {
    cwd: '/',
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that its children are killed with it.
    detached: true,
  });
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

/** Undefined if it went well. */
function problemOf({ code, signal }: Ended, stderr: string): string | undefined {
  if (code === 0) return undefined;
  const last = stderr.trim().split('\n').at(-1) ?? '';
  const how = code === null ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
  return `${how}${last === '' ? '' : `: ${last}`}`;
}
