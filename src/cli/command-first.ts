/** Options may precede the command that they belong to: `kick --state-dir /tmp/s disable web1`. */
import type { Command } from 'commander';

/**
 * Moves the command to the front of a command line if only its own options precede it. `commandOf` returns the command
 * of a name, or undefined if there is none.
 */
export async function commandFirst(
  words: readonly string[],
  commandOf: (name: string) => Promise<Command | undefined>,
): Promise<readonly string[]> {
  if (words[0]?.startsWith('-') !== true) return words;
  for (const [at, word] of words.entries()) {
    if (word === '--') return words;
    const command = word.startsWith('-') ? undefined : await commandOf(word);
    if (command === undefined) continue;
    const before = words.slice(0, at);
    const path = pathFrom(command, words.slice(at + 1));
    if (areOptionsOf(path, before)) {
      return [...path.map((one) => one.name()), ...before, ...words.slice(at + path.length)];
    }
  }
  return words;
}

/** A command and the subcommands that the next words name: `jobs show`. */
function pathFrom(command: Command, [next, ...rest]: readonly string[]): Command[] {
  const child = command.commands.find((one) => one.name() === next);
  return child === undefined ? [command] : [command, ...pathFrom(child, rest)];
}

/** Whether words are nothing but options of these commands and their values. */
function areOptionsOf(commands: readonly Command[], words: readonly string[]): boolean {
  const options = commands.flatMap((command) => command.options);
  const optionOf = (flag: string) => options.find(({ short, long }) => short === flag || long === flag);
  let lacksValue = false;
  for (const word of words) {
    if (lacksValue) {
      lacksValue = false;
      continue;
    }
    const [flag = '', ...value] = word.split('=');
    const option = optionOf(flag);
    // -qv is -q -v.
    if (option === undefined && !isRow(flag, (letter) => optionOf(letter)?.required === false)) return false;
    lacksValue = option?.required === true && value.length === 0;
  }
  // If the last option lacks its value, the next word is that value and not a command.
  return !lacksValue;
}

function isRow(flag: string, isSwitch: (flag: string) => boolean): boolean {
  return /^-[A-Za-z]{2,}$/.test(flag) && [...flag.slice(1)].every((letter) => isSwitch(`-${letter}`));
}
