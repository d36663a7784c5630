/** `kick facts`: how many hosts have which value of a fact. Sends hosts nothing. */
import type { Command } from 'commander';
import { parseFactPath } from '../../conditions/fact-condition.ts';
import type { FactCounts } from '../../controller/count-fact.ts';
import { KickError } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { factText, keysBelow } from '../../report/fact-text.ts';
import { safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions } from '../options/folders.ts';
import { addHostOptions, type HostOptions, namesNobody } from '../options/host-options.ts';
import { choiceOption } from '../options/option-choices.ts';
import { addConnectionOptions } from '../options/run-options.ts';
import { note, print } from '../print.ts';
import { documentText } from './fleet.ts';
import { prepareHosts } from './hosts.ts';

const EXAMPLES = `
Examples:
  kick facts os.family                    of all hosts
  kick facts os.release.full @dmz
  kick facts 'mounts."/boot".size' --class apache
  kick facts kernelrelease --all --format json

Without a choice of hosts all are counted. Values come from PuppetDB, or else
from the facts of the inventory, and are shown with the most frequent first.

Exit codes: 0 counted, 3 some hosts cannot be judged, 2 usage or configuration.
`;

interface FactsOptions extends HostOptions {
  format: string;
}

export function addFactsCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('facts')
    .description('count the hosts by the values of a fact; sends nothing')
    .argument('<fact>', 'os.family, mounts."/boot".size, disks[0]')
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'))
    .addHelpText('after', EXAMPLES);
  addHostOptions(command);
  addConnectionOptions(command);
  addFolderOptions(command);
  command.action(async (fact: string, words: string[], options: FactsOptions) => {
    context.exit(await facts(fact, { words, options, command }, context));
  });
}

interface Typed {
  words: string[];
  options: FactsOptions;
  command: Command;
}

async function facts(
  fact: string,
  { words, options, command }: Typed,
  context: CommandContext,
): Promise<number> {
  const { format } = options;
  if (format !== 'human' && format !== 'json') {
    throw new KickError('usage', `--format: "${format}" is not known`, { hint: 'human or json' });
  }
  const path = parseFactPath(fact);
  const all = options.all === true || namesNobody(words, options);
  const hosts = await prepareHosts(words, { ...options, all }, command, context);
  const counts = await hosts.controller.fact(hosts, path);
  if (format === 'json') context.terminal.out(documentText(documentOf(fact, counts), { format }));
  else print(context.terminal, factText(counts));
  for (const line of remarksOn(fact, counts)) note(context.terminal, `kick: ${safeText(line)}\n`);
  return counts.unclear.length > 0 ? EXIT.incomplete : 0;
}

function documentOf(fact: string, { values, none, unclear }: FactCounts): object {
  return {
    fact,
    values: values.map(({ value, certnames }) => ({ value, hosts: certnames.length, certnames })),
    none: { hosts: none.length, certnames: none },
    unclear,
  };
}

/** Most likely a typo, or a fact that has others inside. */
function remarksOn(fact: string, { values, none }: FactCounts): string[] {
  if (values.length === 0 && none.length > 0) return [`warning: no host has the fact ${fact}`];
  const keys = keysBelow(values);
  return keys === '' ? [] : [`${fact} is a mapping, to be counted by one of its keys: ${keys}`];
}
