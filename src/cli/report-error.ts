/** Turns an error into a message and an exit code. */
import { type ErrorCode, isSystemError, KickError, messageOf, systemCode } from '../errors.ts';
import { EXIT } from '../protocol/outcome.ts';
import { safeLines } from '../util/text.ts';
import type { Environment } from './context.ts';
import type { Terminal } from './terminal.ts';

const AS_ROOT = 'run as root: sudo kick …';

/** Prints what went wrong; returns the exit code. */
export function reportError(error: unknown, terminal: Pick<Terminal, 'err'>, env: Environment): number {
  // It has no colours of ours: those in it are of a name or a file.
  const say = (text: string) => terminal.err(safeLines(text));
  const isDebugged = (env['KICK_DEBUG'] ?? '') !== '';
  if (error instanceof KickError && error.code !== 'internal') {
    say(`kick: ${error.message}\n`);
    const hint = error.hint ?? (systemCode(error.cause) === 'EACCES' ? AS_ROOT : undefined);
    if (hint !== undefined) say(`hint: ${hint}\n`);
    return exitCodeOf(error.code);
  }
  // Whatever the system refuses (a path is a folder, may not be read, a disk is full) is the operator's to mend.
  const isOfSystem = isSystemError(error);
  say(`kick: ${isOfSystem ? '' : 'an error of kick itself: '}${messageOf(error)}\n`);
  const stack = error instanceof Error ? error.stack : undefined;
  if (isDebugged && stack !== undefined) say(`${stack}\n`);
  else say(`hint: KICK_DEBUG=1 shows where${isOfSystem ? '' : '; please report it'}\n`);
  return isOfSystem ? EXIT.usage : EXIT.internal;
}

/** The exit code of a command that ends with such an error. */
export function exitCodeOf(code: ErrorCode): number {
  if (code === 'internal') return EXIT.internal;
  return code === 'locked' ? EXIT.locked : EXIT.usage;
}
