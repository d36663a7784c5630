/** How an error becomes a message and an exit code. */
import { KickError, messageOf } from '../errors.ts';
import { EXIT } from '../protocol/outcome.ts';
import { safeText } from '../util/text.ts';
import type { Environment } from './context.ts';
import type { Terminal } from './terminal.ts';

/** Prints what went wrong; gives the exit code. */
export function reportError(error: unknown, terminal: Pick<Terminal, 'err'>, env: Environment): number {
  if (error instanceof KickError) {
    terminal.err(`kick: ${withoutControls(error.message)}\n`);
    if (error.hint !== undefined) terminal.err(`hint: ${withoutControls(error.hint)}\n`);
    return error.code === 'locked' ? EXIT.locked : EXIT.usage;
  }
  terminal.err(`kick: an error of kick itself: ${withoutControls(messageOf(error))}\n`);
  const stack = error instanceof Error ? error.stack : undefined;
  if ((env['KICK_DEBUG'] ?? '') !== '' && stack !== undefined) terminal.err(`${stack}\n`);
  else terminal.err('hint: KICK_DEBUG=1 shows where; please report it\n');
  return EXIT.internal;
}

const withoutControls = (text: string) => text.split('\n').map(safeText).join('\n');
