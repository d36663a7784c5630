/** A fixed command from agent.yaml, for hosts without Puppet. Exit 0 is unchanged, 2 changed, anything else failed. */
import { accessSync, constants } from 'node:fs';
import { KickError } from '../../errors.ts';
import type { RunAction } from '../../protocol/request.ts';
import { puppetEnvironment } from '../../puppet/settings.ts';
import { whoElseCanWrite } from '../../util/trusted-path.ts';
import { judgeCommand } from '../judge.ts';
import type { Runner } from './runner.ts';

export interface CommandRunnerOptions {
  /** An absolute path first. */
  argv: readonly string[];
  runEnvironment: Readonly<Record<string, string>>;
  /** Milliseconds; absent: no limit. */
  runTimeoutMs?: number | undefined;
}

/** Nothing of a request but its time limit reaches a fixed command. */
const HONOURED: readonly (keyof RunAction)[] = ['op', 'runTimeout'];

export function commandRunner({ argv, runEnvironment, runTimeoutMs }: CommandRunnerOptions): Runner {
  return {
    name: 'command',
    title: argv[0] ?? 'command',
    puppetVersion: async () => undefined,
    unsupported: (action) =>
      (Object.keys(action) as (keyof RunAction)[]).filter((option) => !HONOURED.includes(option)),
    gate: async () => ({ state: 'free' }),
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
