/** What the site is asked meanwhile: jobs of the server and of the command line, each for some of the hosts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { createInterface } from 'node:readline';
import type { Random } from '../../src/cli/demo/run-shape.ts';
import { sleep } from '../../src/util/clock.ts';
import { KICK } from '../program.ts';
import { between, oneOf } from './random.ts';
import { isKeyLost, type Site } from './site.ts';

export interface Work {
  /** When each job was asked for: milliseconds since 1970. */
  readonly askedAt: Map<string, number>;
  /** Commands `kick` that run: their process, and their job once it is known. */
  readonly commands: ReadonlySet<Command>;
  /** Asks for no more; resolves when everything that was asked for is known to the site. */
  pause(): Promise<void>;
  goOn(): void;
  end(): Promise<void>;
}

export interface Command {
  readonly process: ChildProcess;
  job?: string | undefined;
}

/** Milliseconds between two jobs. */
const EVERY = [20, 250] as const;
/** How often a host is among those of a job: a Puppet takes seconds, and one run serves all that wait for it. */
const ASKED = { command: 0.6, puppet: 0.1 };
/** One in so many is the command line's: a process each. */
const BY_COMMAND = 12;

export function startWork(site: Site, random: Random): Work {
  const askedAt = new Map<string, number>();
  const commands = new Set<Command>();
  const pending = new Set<Promise<void>>();
  const failures: unknown[] = [];
  let isPaused = false;
  let isOver = false;

  const track = (work: Promise<void>) => {
    pending.add(work);
    void work.catch((error: unknown) => failures.push(error)).finally(() => pending.delete(work));
  };
  const loop = (async () => {
    while (!isOver) {
      await sleep(between(random, ...EVERY));
      if (isPaused || pending.size > 20) continue;
      const hosts = site.hosts
        .filter(({ puppet }) => random() < ASKED[puppet === undefined ? 'command' : 'puppet'])
        .map(({ name }) => name);
      if (hosts.length === 0) continue;
      track(
        random() < 1 / BY_COMMAND
          ? byCommand(site, hosts, { askedAt, commands })
          : byServer(site, hosts, askedAt),
      );
    }
  })();

  return {
    askedAt,
    commands,
    async pause() {
      isPaused = true;
      await Promise.allSettled(pending);
      if (failures.length > 0) throw failures[0];
    },
    goOn() {
      isPaused = false;
    },
    async end() {
      isOver = true;
      for (const { process } of commands) process.kill('SIGKILL');
      await loop;
    },
  };
}

/** The same key until there is an answer: one job, however often the server dies. */
async function byServer(site: Site, hosts: string[], askedAt: Map<string, number>): Promise<void> {
  const at = Date.now();
  try {
    const { job } = await site.ask('jobs', { choice: { hosts } }, { 'Idempotency-Key': randomUUID() });
    askedAt.set(job, at);
  } catch (error) {
    // Of what it may have begun, the list of jobs tells.
    if (!isKeyLost(error)) throw error;
  }
}

/** Its job is resumed by another one if it is killed. */
async function byCommand(
  { kickArgs }: Site,
  hosts: string[],
  { askedAt, commands }: { askedAt: Map<string, number>; commands: Set<Command> },
): Promise<void> {
  const at = Date.now();
  const [program = '', ...words] = [...KICK, 'run', ...hosts, '--format', 'jsonl', ...kickArgs];
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'] });
  const command: Command = { process: child };
  commands.add(command);
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  for await (const line of createInterface(child.stdout)) {
    command.job ??= jobIn(line);
    if (command.job !== undefined) askedAt.set(command.job, at);
  }
  await ended;
  commands.delete(command);
}

function jobIn(line: string): string | undefined {
  try {
    const { job } = JSON.parse(line) as { job?: unknown };
    return typeof job === 'string' ? job : undefined;
  } catch {
    return undefined; // half a line: it was killed
  }
}

/** Any of those that run; undefined if there is none. */
export const someCommand = ({ commands }: Work, random: Random) =>
  commands.size === 0 ? undefined : oneOf(random, [...commands]);
