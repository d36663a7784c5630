/**
 * The program as `kickNow` has it, in this process: for what a command does and says, where no signal, descriptor or end of a
 * process matters. A process of its own costs a third of a second of a processor to start.
 */
import { Readable, Writable } from 'node:stream';
import { runCommandLine } from '../../src/cli/program.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import type { Ended } from './kick.ts';

export interface KickHereOptions {
  /** Added to ours, without colours. */
  env?: NodeJS.ProcessEnv | undefined;
  /** What is typed: one command at a time. */
  input?: string;
}

/** Output goes nowhere near a terminal: it is what a pipe would get. */
export async function kickHere(
  words: readonly string[],
  { env, input }: KickHereOptions = {},
): Promise<Ended & { code: number }> {
  const [out, err] = [collector(), collector()];
  let code = 0;
  const giveBack = input === undefined ? undefined : typed(input);
  try {
    await runCommandLine(words, {
      terminal: openTerminal({ noColor: true, stdout: out.stream, stderr: err.stream }),
      env: { ...process.env, NO_COLOR: '1', ...env },
      exit(status) {
        code = status;
      },
    });
  } finally {
    giveBack?.();
  }
  return { out: out.text(), err: err.text(), code };
}

/** Returns what gives the process its own stdin back. */
function typed(input: string): () => void {
  const own = Object.getOwnPropertyDescriptor(process, 'stdin') ?? {};
  Object.defineProperty(process, 'stdin', { configurable: true, value: Readable.from([Buffer.from(input)]) });
  return () => void Object.defineProperty(process, 'stdin', own);
}

function collector() {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString() };
}
