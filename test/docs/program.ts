/** The real program, without what its commands do. */
import { type Command, CommanderError } from 'commander';
import { commandFirst } from '../../src/cli/command-first.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { silentTerminal } from '../../tools/silent-terminal.ts';

/** `words`: the command line for which it is made; without it, it has all commands. */
export async function programOf(words?: readonly string[]): Promise<Command> {
  return makeProgram({ terminal: silentTerminal, env: {}, exit() {} }, words);
}

/** The code of commander's error for a command line; undefined: it is understood. */
export async function problemOf(words: readonly string[]): Promise<string | undefined> {
  const program = await programOf();
  withoutActions(program);
  try {
    const sorted = await commandFirst(words, async (name) =>
      program.commands.find((one) => one.name() === name),
    );
    await program.parseAsync(sorted, { from: 'user' });
    return undefined;
  } catch (error) {
    if (error instanceof CommanderError) return /help|version/.test(error.code) ? undefined : error.code;
    throw error;
  }
}

function withoutActions(command: Command): void {
  command.action(() => {});
  for (const child of command.commands) withoutActions(child);
}

/** All commands, `jobs show` among them, each with its whole path. */
export function allCommands(command: Command, path = 'kick'): [path: string, command: Command][] {
  const children = command.commands.map((child) => allCommands(child, `${path} ${child.name()}`));
  return [[path, command], ...children.flat()];
}

/** What --help prints. */
export function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (piece) => (text += piece) });
  command.outputHelp();
  return text;
}
