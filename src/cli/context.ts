/** What the command line hands to each of its commands. */
import type { Terminal } from './terminal.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What every command is given. */
export interface CommandContext {
  terminal: Terminal;
  env: Environment;
  /** Sets the exit status; the process ends when its work is done. */
  exit(code: number): void;
}
