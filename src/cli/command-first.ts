/** Options may stand before the command that they belong to: `kick --state-dir /tmp/s disable web1`. */
import type { Command } from 'commander';

/**
 * The command line with its command in front; as it is where no options stand before a command. `commandOf`
 * gives the command of a name, undefined where there is none.
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

/** A command, and those of its own that the next words name: `jobs show`. */
function pathFrom(command: Command, [next, ...rest]: readonly string[]): Command[] {
  const child = command.commands.find((one) => one.name() === next);
  return child === undefined ? [command] : [command, ...pathFrom(child, rest)];
}

/** Whether words are options of these commands and the values of these, and nothing else. */
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
  // What follows an option without its value is this value.
  return !lacksValue;
}

function isRow(flag: string, isSwitch: (flag: string) => boolean): boolean {
  return /^-[A-Za-z]{2,}$/.test(flag) && [...flag.slice(1)].every((letter) => isSwitch(`-${letter}`));
}
