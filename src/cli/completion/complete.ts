/**
 * `kick __complete -- WORDS…`, called by the scripts of `kick completion`: prints the candidates for the
 * last word, one per line. Commands and options are those of the program itself. Nothing is asked: neither
 * agents, nor PuppetDB, nor a group's command.
 */
import type { Command, Option } from 'commander';
import { commandFirst } from '../command-first.ts';
import type { CommandContext, Environment } from '../context.ts';
import { choicesOf } from '../options/option-choices.ts';
import { candidatesFor, type Kind } from './complete-values.ts';

/** Printed instead of candidates: the shell completes files itself. */
export const FILES = ':files';

/** Where the cursor is. */
interface Place {
  command: Command;
  /** The option whose value is next. */
  option?: Option;
  /** How many operands the command has already. */
  operands: number;
  /** After `--` there are no options. */
  noOptions: boolean;
}

/** Never throws: completion is no place to report broken files. */
export async function completeMain(
  program: Command,
  argv: readonly string[],
  { terminal, env }: Pick<CommandContext, 'terminal' | 'env'>,
): Promise<void> {
  try {
    const words = argv[0] === '--' ? argv.slice(1) : argv;
    const found = await complete(program, words, env);
    if (found.length > 0) terminal.out(`${found.join('\n')}\n`);
  } catch {
    // nothing is offered
  }
}

export async function complete(
  program: Command,
  words: readonly string[],
  env: Environment,
): Promise<readonly string[]> {
  const typed = words.at(-1) ?? '';
  const before = await commandFirst(words.slice(0, -1), async (name) =>
    program.commands.find((one) => one.name() === name),
  );
  const place = placeOf(program, before);
  if (place.option !== undefined) return valuesOf(place.option, place.command, typed, env);
  const [, flag, value] = /^(--[^=]+)=(.*)$/s.exec(typed) ?? [];
  if (!place.noOptions && flag !== undefined && value !== undefined) {
    const option = optionOf(place.command, flag);
    if (option === undefined) return [];
    const values = await valuesOf(option, place.command, value, env);
    return values.map((one) => (one === FILES ? one : `${flag}=${one}`));
  }
  if (!place.noOptions && typed.startsWith('-')) return flagsOf(place.command, typed);
  return operandsOf(place, program, typed, env);
}

// ---------------------------------------------------------------- where the cursor is

function placeOf(program: Command, words: readonly string[]): Place {
  let place: Place = { command: program, operands: 0, noOptions: false };
  for (const word of words) place = after(place, word, program);
  return place;
}

function after(place: Place, word: string, program: Command): Place {
  const { command, option, operands, noOptions } = place;
  if (option !== undefined) {
    note(command, option, word);
    return { command, operands, noOptions };
  }
  if (!noOptions && word === '--') return { ...place, noOptions: true };
  if (!noOptions && word.startsWith('-') && word !== '-') return afterFlag(place, word);
  const sub = operands === 0 && !noOptions ? subcommandOf(command, word) : undefined;
  if (sub !== undefined) return { command: sub, operands: 0, noOptions: false };
  // A first word that is no command is a host of the default command.
  return { ...place, command: command === program ? defaultOf(program) : command, operands: operands + 1 };
}

function afterFlag(place: Place, word: string): Place {
  const [, flag = word, value] = /^(--[^=]+)(=.*)?$/s.exec(word) ?? [];
  const option = optionOf(place.command, flag);
  // An option of `kick run` without `run`: from here on it is that command.
  const own = place.command.options.some((one) => one === option);
  const command = option === undefined || own ? place.command : defaultOf(place.command);
  if (option !== undefined && value !== undefined) note(command, option, value.slice(1));
  const takesNext = option?.required === true && value === undefined;
  return { ...place, command, ...(takesNext && { option }) };
}

/** Another --config-dir has other hosts. No other option affects what may follow. */
function note(command: Command, option: Option, value: string): void {
  if (placeholderOf(option) === 'dir') command.setOptionValue(option.attributeName(), value);
}

const subcommandOf = (command: Command, word: string) =>
  [...command.commands, ...command.createHelp().visibleCommands(command)].find(
    (one) => one.name() === word || one.aliases().includes(word),
  );

/** `kick web1` is `kick run web1`; no other command has a default. */
const defaultOf = (command: Command) =>
  (command.parent === null && command.commands.find((one) => one.name() === 'run')) || command;

/** Understands Puppet's spelling of long options, as everywhere: --skip_tags. */
function optionOf(command: Command, flag: string): Option | undefined {
  const name = flag.startsWith('--') ? flag.replaceAll('_', '-') : flag;
  return optionsOf(command).find(({ long, short }) => long === name || short === name);
}

/** Including hidden ones. */
const optionsOf = (command: Command): readonly Option[] =>
  [...new Set([command, defaultOf(command)])].flatMap(({ options }) => options);

// ---------------------------------------------------------------- what may follow

function flagsOf(command: Command, typed: string): string[] {
  const visible = [...new Set([command, defaultOf(command)])].flatMap((one) =>
    one.createHelp().visibleOptions(one),
  );
  const isShort = typed === '-' || !typed.startsWith('--');
  const flags = visible.flatMap(({ long, short }) => [long, isShort ? short : undefined]);
  const wanted = typed.startsWith('--') ? typed.replaceAll('_', '-') : typed;
  return [...new Set(flags.flatMap((flag) => flag ?? []))].filter((flag) => flag.startsWith(wanted));
}

async function operandsOf(
  { command, operands, noOptions }: Place,
  program: Command,
  typed: string,
  env: Environment,
): Promise<readonly string[]> {
  const help = program.createHelp();
  const parent = command.name() === 'help' ? program : command;
  const names = operands === 0 && !noOptions ? help.visibleCommands(parent).map((one) => one.name()) : [];
  const fitting = names.filter((name) => name.startsWith(typed));
  const target = command === program ? defaultOf(program) : command;
  const list = target.registeredArguments;
  const argument = list[operands] ?? (list.at(-1)?.variadic === true ? list.at(-1) : undefined);
  const kind = argument === undefined ? undefined : KINDS[argument.name()];
  if (argument?.argChoices !== undefined)
    fitting.push(...argument.argChoices.filter((one) => one.startsWith(typed)));
  if (kind === undefined) return fitting;
  // With a broken inventory, commands are still offered.
  const found = await candidatesFor(kind, { command: target, typed, env }).catch(() => []);
  return [...fitting, ...found];
}

/** The meaning of placeholders in the usage of commands: `--nodes-file <file>`, `[hosts...]`. */
const KINDS: Readonly<Record<string, Kind>> = {
  hosts: 'hosts',
  group: 'group',
  fact: 'fact',
  job: 'job',
  topic: 'topic',
  outcome: 'outcome',
  outcomes: 'outcomes',
  kind: 'last-kinds',
};

const placeholderOf = ({ flags }: Option) => /[<[]([a-z]+)/.exec(flags)?.[1] ?? '';

const FILE_NAMES = ['file', 'dir'];

async function valuesOf(
  option: Option,
  command: Command,
  typed: string,
  env: Environment,
): Promise<readonly string[]> {
  const choices = choicesOf(option);
  if (choices !== undefined) return choices.filter((one) => one.startsWith(typed));
  const placeholder = placeholderOf(option);
  if (FILE_NAMES.includes(placeholder)) return [FILES];
  const kind = KINDS[placeholder];
  return kind === undefined ? [] : candidatesFor(kind, { command, typed, env });
}
