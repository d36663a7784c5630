/** Command lines of the program's real commands and options, with values of any kind in any order. */
import type { Command, Option } from 'commander';
import fc from 'fast-check';
import { choicesOf } from '../../src/cli/options/option-choices.ts';
import { makeProgram } from '../../src/cli/program.ts';
import { silentTerminal } from '../silent-terminal.ts';
import { hosts, odd, valueFor } from './nasty.ts';

/** Those that go on until they are told to end, start others, or read a terminal. */
export const RESIDENT: readonly string[] = ['agent', 'serve', 'demo', 'user'];

interface Known {
  path: readonly string[];
  options: readonly Option[];
  /** Placeholders of its arguments. */
  operands: readonly string[];
}

/** The options of any command that take the next word as their value, whatever it looks like. */
export async function valueFlags(): Promise<ReadonlySet<string>> {
  const options = (await allCommands()).flatMap((command) => command.options);
  const flags = options.filter(({ required }) => required).flatMap(({ long, short }) => [long, short]);
  return new Set(flags.filter((one) => one !== undefined));
}

async function allCommands(): Promise<Known[]> {
  return commandsBelow(await makeProgram({ terminal: silentTerminal, env: {}, exit() {} }), []);
}

/** All commands, and the one that needs no name; `isWanted` is asked for the first word. */
export async function commandLines(isWanted: (name: string) => boolean): Promise<fc.Arbitrary<string[]>> {
  const known = (await allCommands()).filter(({ path: [first = 'run'] }) => isWanted(first));
  return fc
    .oneof({ weight: 12, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: withoutOptions })
    .chain(wordsOf);
}

function commandsBelow(command: Command, path: readonly string[]): Known[] {
  const isDefault = path.join(' ') === 'run';
  const own: Known = {
    path,
    options: command.options.filter(({ long }) => long !== '--version'),
    operands: command.registeredArguments.map((argument) => argument.name()),
  };
  const children = command.commands.flatMap((child) => commandsBelow(child, [...path, child.name()]));
  return [own, ...(isDefault ? [{ ...own, path: [] }] : []), ...children];
}

const withoutOptions: fc.Arbitrary<Known> = fc
  .constantFrom(['help'], ['__complete', '--'], ['completion'], ['jobs', 'help'], ['nosuch'], ['pnig'])
  .map((path) => ({ path, options: [], operands: ['hosts'] }));

function wordsOf({ path, options, operands }: Known): fc.Arbitrary<string[]> {
  const option =
    options.length === 0 ? fc.constant<string[]>([]) : fc.constantFrom(...options).chain(optionWords);
  const operand = fc.oneof(
    { weight: 12, arbitrary: operands[0] === undefined ? hosts : valueFor(operands[0]) },
    { weight: 1, arbitrary: odd },
  );
  const parts = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: option },
      { weight: 5, arbitrary: operand.map((word) => [word]) },
      { weight: 1, arbitrary: stray },
    ),
    { maxLength: 6 },
  );
  return fc
    .tuple(parts, fc.nat(9))
    .map(([words, place]) => (place === 0 ? [...words.flat(), ...path] : [...path, ...words.flat()]));
}

/** An option with its value, in one word or two, twice, without it. */
function optionWords(option: Option): fc.Arbitrary<string[]> {
  const { long, short, flags } = option;
  const flag = fc.constantFrom(...[long, short].filter((one) => one !== undefined));
  if (!option.required && !option.optional) return flag.map((one) => [one]);
  const placeholder = /[<[]([a-z]+)/.exec(flags)?.[1] ?? '';
  const choices = choicesOf(option);
  const value = choices === undefined ? valueFor(placeholder) : fc.oneof(fc.constantFrom(...choices), odd);
  return fc.tuple(flag, value, fc.nat(9)).map(([one, text, style]) => {
    if (style === 0) return [one];
    return style < 4 && one.startsWith('--') ? [`${one}=${text}`] : [one, text];
  });
}

const stray: fc.Arbitrary<string[]> = fc.oneof(
  fc.constantFrom<string[]>(
    ['--'],
    ['--help'],
    ['-h'],
    ['--nosuch'],
    ['--nop'],
    ['-qv'],
    ['-x'],
    ['--no-color'],
    ['--skip_tags=a'],
  ),
  odd.map((word) => [word]),
);
