/** What a program prints: bounded in time and size, no shell, nothing on its stdin. */
import { spawn } from 'node:child_process';

export interface ProgramOptions {
  /** Milliseconds; then it and what it has started are killed. */
  timeoutMs: number;
  /** Bytes of stdout at the most. */
  maxBytes: number;
  env: Readonly<Record<string, string>>;
}

const MAX_ERROR_BYTES = 4096;

/**
 * Its stdout, once it has ended with 0. Rejects with an `Error` whose message says what went wrong:
 * it could not be started, hung, printed too much, or failed (with the last line of its stderr).
 */
export function outputOf(argv: readonly string[], options: ProgramOptions): Promise<Buffer> {
  const [program = '', ...args] = argv;
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    let why: string | undefined;
    const child = spawn(program, args, {
      cwd: '/',
      env: { ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that its children are ended with it.
      detached: true,
    });
    const end = (reason: string) => {
      why ??= reason;
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // gone already
      }
    };
    const timer = setTimeout(
      () => end(`it did not end within ${options.timeoutMs / 1000} s`),
      options.timeoutMs,
    );
    child.stdout.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > options.maxBytes) end(`it printed more than ${options.maxBytes} bytes`);
      else chunks.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr = (stderr + chunk.toString('utf8')).slice(-MAX_ERROR_BYTES);
    });
    child.once('error', (error) => {
      clearTimeout(timer);
      reject(new Error(why ?? error.message));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (why === undefined && code === 0) return resolve(Buffer.concat(chunks));
      const last = stderr.trim().split('\n').at(-1) ?? '';
      const ended = code === null ? `it was ended by ${signal}` : `it ended with exit code ${code}`;
      reject(new Error(why ?? `${ended}${last === '' ? '' : `: ${last}`}`));
    });
  });
}
