/** What every command gets from the command line. */
import type { Terminal } from './terminal.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface CommandContext {
  terminal: Terminal;
  env: Environment;
  /** Sets the exit status; the process ends once its work is done. */
  exit(code: number): void;
}
