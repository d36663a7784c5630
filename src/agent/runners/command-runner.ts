/** A fixed command from agent.yaml, for hosts without Puppet. Exit 0 is unchanged, 2 changed, anything else failed. */
import { accessSync, constants } from 'node:fs';
import { KickError } from '../../errors.ts';
import type { RunAction } from '../../protocol/request.ts';
import { puppetEnvironment } from '../../puppet/settings.ts';
import { whoElseCanWrite } from '../../util/trusted-path.ts';
import { judgeCommand } from '../judge/judge.ts';
import { readDisabled } from '../puppet/disabled-lock.ts';
import { type Runner, unclear } from './runner.ts';

export interface CommandRunnerOptions {
  /** An absolute path first. */
  argv: readonly string[];
  runEnvironment: Readonly<Record<string, string>>;
  /** The file that switches it off; absent: nothing does. */
  disabledLock?: string;
  /** Milliseconds; absent: no limit. */
  runTimeoutMs?: number | undefined;
}

/** Nothing of a request but its time limit reaches a fixed command. */
const HONOURED: readonly (keyof RunAction)[] = ['op', 'runTimeout'];

export function commandRunner(options: CommandRunnerOptions): Runner {
  const { argv, runEnvironment, disabledLock, runTimeoutMs } = options;
  return {
    name: 'command',
    title: argv[0] ?? 'command',
    puppetVersion: async () => undefined,
    unsupported: (action) =>
      (Object.keys(action) as (keyof RunAction)[]).filter((option) => !HONOURED.includes(option)),
    async disabledLock() {
      if (disabledLock === undefined)
        throw new KickError('config', 'switch the command off: no file is known for it');
      return disabledLock;
    },
    async gate() {
      try {
        const disabled = disabledLock === undefined ? undefined : await readDisabled(disabledLock);
        return disabled === undefined ? { state: 'free' } : { state: 'disabled', disabled };
      } catch (error) {
        return unclear(error);
      }
    },
    async plan() {
      refuseUnsafe(argv[0] ?? '');
      return {
        argv: [...argv],
        env: { ...puppetEnvironment(), ...runEnvironment },
        ...(runTimeoutMs !== undefined && { timeLimitMs: runTimeoutMs }),
      };
    },
    judge: async (ended) => judgeCommand({ ...ended, log: await ended.readLog() }),
    resources: async () => [],
    lastRun: async () => undefined,
    runinterval: async () => undefined,
    catalogProblem: async () => 'a command has no catalog',
    classes: async () => undefined,
  };
}

function refuseUnsafe(path: string): void {
  try {
    accessSync(path, constants.X_OK);
  } catch {
    throw new KickError('config', `run the command "${path}": it is missing or not executable`, {
      hint: 'see command: in agent.yaml',
    });
  }
  const complaint = whoElseCanWrite(path);
  if (complaint !== undefined) {
    throw new KickError('config', `run the command "${path}": ${complaint}`);
  }
}
