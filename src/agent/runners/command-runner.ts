/** A fixed command from agent.yaml, for hosts without Puppet. Exit code 0 is unchanged, 2 changed, anything else failed. */
import { accessSync, constants } from 'node:fs';
import { KickError } from '../../errors.ts';
import type { RunAction } from '../../protocol/request.ts';
import { puppetEnvironment } from '../../puppet/settings.ts';
import { trustedSearchPath } from '../../util/search-path.ts';
import { trustedProgram } from '../../util/trusted-program.ts';
import { judgeCommand } from '../judge/judge.ts';
import { readDisabled } from '../puppet/disabled-lock.ts';
import { type Runner, unclear } from './runner.ts';

export interface CommandRunnerOptions {
  /** An absolute path first. */
  argv: readonly string[];
  runEnvironment: Readonly<Record<string, string>>;
  /** The file that disables it; absent: nothing does. */
  disabledLock?: string;
  /** Milliseconds; defaults to no limit. */
  runTimeoutMs?: number | undefined;
}

/** The only parts of a request that affect a fixed command. */
const HONOURED: readonly (keyof RunAction)[] = ['op', 'runTimeout'];

export function commandRunner(options: CommandRunnerOptions): Runner {
  const { argv, runEnvironment, disabledLock, runTimeoutMs } = options;
  const [program = '', ...words] = argv;
  const searchPath = () => trustedSearchPath(runEnvironment['PATH']);
  return {
    name: 'command',
    title: program,
    puppetVersion: async () => undefined,
    unsupported: (action) =>
      (Object.keys(action) as (keyof RunAction)[]).filter((option) => !HONOURED.includes(option)),
    async disabledLock() {
      if (disabledLock === undefined)
        throw new KickError('config', 'disable the command: no file is known for it');
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
      const env = { ...puppetEnvironment(), ...runEnvironment, PATH: searchPath().path };
      return {
        argv: [trustedCommand(program, env.PATH), ...words],
        env,
        ...(runTimeoutMs !== undefined && { timeLimitMs: runTimeoutMs }),
      };
    },
    async untrusted() {
      const { path, leftOut } = searchPath();
      const missing = leftOut.map((error) => ({ error, isLeftOut: true }));
      try {
        trustedCommand(program, path);
      } catch (error) {
        if (error instanceof KickError) return [{ error, isLeftOut: false }, ...missing];
      }
      return missing;
    },
    judge: async (ended) => judgeCommand({ ...ended, log: await ended.readLog() }),
    resources: async () => [],
    lastRun: async () => undefined,
    runinterval: async () => undefined,
    catalogProblem: async () => 'a command has no catalog',
    classes: async () => undefined,
  };
}

/** Returns what to execute. Throws `KickError` `config` if it cannot be, `untrusted` if others can change it. */
function trustedCommand(program: string, searchPath: string): string {
  const doing = `run the command "${program}"`;
  try {
    accessSync(program, constants.X_OK);
  } catch {
    throw new KickError('config', `${doing}: it is missing or not executable`, {
      hint: 'see command: in agent.yaml',
    });
  }
  return trustedProgram(program, { doing, searchPath });
}
