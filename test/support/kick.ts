/** The program as an operator runs it: started, followed to its end, or run at once. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { KICK } from '../../tools/program.ts';

export interface Ended {
  out: string;
  err: string;
  code: number | null;
}

export interface KickOptions {
  /** Added to ours, without colours. */
  env?: NodeJS.ProcessEnv | undefined;
  cwd?: string;
  /** What is typed. */
  input?: string;
  /** A program that starts it, and its arguments. */
  starter?: readonly string[];
}

export function startKick(words: readonly string[], options: KickOptions = {}): ChildProcess {
  const { program, args, how } = commandOf(words, options);
  return spawn(program, args, how);
}

/** Waits here until it has ended; agents of this process cannot answer it meanwhile. */
export function kickNow(words: readonly string[], options: KickOptions = {}): Ended {
  const { program, args, how } = commandOf(words, options);
  const input = options.input === undefined ? {} : { input: options.input };
  const { stdout, stderr, status } = spawnSync(program, args, { ...how, ...input, encoding: 'utf8' });
  return { out: stdout, err: stderr, code: status };
}

function commandOf(words: readonly string[], { env, cwd, starter = [] }: KickOptions) {
  const [program = '', ...args] = [...starter, ...KICK, ...words];
  const how = { env: { ...process.env, NO_COLOR: '1', ...env }, ...(cwd !== undefined && { cwd }) };
  return { program, args, how };
}

/** What a program has printed, and its exit code, once it has ended. */
export async function ended(child: ChildProcess): Promise<Ended> {
  if (child.stdout === null || child.stderr === null) throw new Error('no output');
  const code = new Promise<number | null>((resolve) => child.once('close', resolve));
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { out, err, code: await code };
}
