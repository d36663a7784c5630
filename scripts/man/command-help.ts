/** A command's help as roff, from commander like --help. */
import type { Command, Option } from 'commander';
import { bold, escaped, paragraph, subheading, term, verbatim } from './roff.ts';

/** A command with its options; those explained in the same words in `known` are only named. */
export function commandLines(command: Command, known?: Command): string[] {
  const help = command.createHelp();
  return [
    subheading(help.commandUsage(command)),
    ...paragraph(sentence(help.commandDescription(command))),
    ...help
      .visibleArguments(command)
      .flatMap((one) => term(help.argumentTerm(one), help.argumentDescription(one))),
    ...optionLines(command, known),
    ...exampleLines(command),
    ...help
      .visibleCommands(command)
      .filter((one) => one.name() !== 'help')
      .flatMap((one) => commandLines(one, known)),
  ];
}

/** The options in their groups. */
export function optionLines(command: Command, known?: Command): string[] {
  const help = command.createHelp();
  const explained = known === undefined || known === command ? [] : known.createHelp().visibleOptions(known);
  const isExplained = (option: Option) =>
    explained.some(
      (one) => one.flags === option.flags && help.optionDescription(one) === help.optionDescription(option),
    );
  const visible = help.visibleOptions(command).filter((option) => option.long !== '--help');
  const own = visible.filter((option) => !isExplained(option));
  const shared = visible.filter(isExplained);
  const groups = help.groupItems(own, own, (option) => option.helpGroupHeading ?? 'Options:');
  return [
    ...[...groups].flatMap(([heading, options]) => [
      ...(groups.size > 1 && heading !== 'Options:' ? ['.PP', bold(heading.replace(/:$/, ''))] : []),
      ...options.flatMap((option) => term(help.optionTerm(option), help.optionDescription(option))),
    ]),
    ...(shared.length === 0
      ? []
      : [
          '.PP',
          `As for ${bold('kick run')}:`,
          ...shared.map(({ long }, index) => `${bold(long ?? '')}${index < shared.length - 1 ? ',' : ''}`),
        ]),
  ];
}

/** What --help shows after the options: examples, exit codes. */
export function exampleLines(command: Command, { titled = false } = {}): string[] {
  let text = '';
  command.configureOutput({ writeOut: (piece) => (text += piece) });
  command.outputHelp();
  const after = text.slice(command.helpInformation().length).trim();
  // A heading that says EXAMPLES stands above already.
  return after === '' ? [] : verbatim(titled ? after.replace(/^Examples:\n/, '') : after);
}

function sentence(text: string): string {
  const first = text[0]?.toUpperCase() ?? '';
  return `${first}${text.slice(1)}${/[.?]$/.test(text) ? '' : '.'}`;
}

export const synopsis = (...usages: readonly string[]) =>
  usages.flatMap((usage, index) => [...(index > 0 ? ['.br'] : []), escaped(usage)]);
