/** `kick discover`: which agents answer through NATS, and for which of them do the conditions hold? */
import type { Command } from 'commander';
import { KickError } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { discoveryFacts } from '../../report/discovery-facts.ts';
import { safeJson } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions } from '../options/folders.ts';
import { addHostOptions, type HostOptions } from '../options/host-options.ts';
import { choiceOption } from '../options/option-choices.ts';
import { addConnectionOptions } from '../options/run-options.ts';
import { note } from '../print.ts';
import { type PreparedHosts, prepareHosts } from './hosts.ts';

const EXAMPLES = `
Examples:
  kick discover                           everybody who answers, one per line
  kick discover --fact os.family=Debian --class apache
  kick discover 'web*' --last failed --format json
  kick discover --discovery-timeout 5s    for agents that are slow

The agents judge the conditions themselves, so no PuppetDB is needed. Hosts that
are named, or that PuppetDB or the inventory expects, and that do not answer are
listed as silent; the exit code is then 3. kick --discover runs Puppet on them.
`;

interface DiscoverOptions extends HostOptions {
  format: string;
}

export function addDiscoverCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('discover')
    .description('list the hosts whose agents answer through NATS')
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'))
    .addHelpText('after', EXAMPLES);
  addHostOptions(command);
  addConnectionOptions(command);
  addFolderOptions(command);
  command.action(async (words: string[], options: DiscoverOptions) => {
    if (options.format !== 'human' && options.format !== 'json') {
      throw new KickError('usage', `--format: "${options.format}" is not known`, { hint: 'human or json' });
    }
    const hosts = await prepareHosts(words, { ...options, discover: true }, command, context);
    const { terminal } = context;
    if (options.format === 'json') terminal.out(`${safeJson(documentOf(hosts), 2)}\n`);
    else {
      terminal.out(hosts.targets.map(({ certname }) => `${certname}\n`).join(''));
      for (const [name, value] of hosts.discovery === undefined ? [] : discoveryFacts(hosts.discovery))
        note(terminal, `${name}: ${value}\n`);
    }
    context.exit(hosts.unanswered.length > 0 ? EXIT.incomplete : 0);
  });
}

function documentOf({ targets, unanswered, maintenance, discovery }: PreparedHosts): object {
  return {
    count: targets.length,
    hosts: targets.map(({ certname }) => certname),
    ...discovery,
    unanswered: unanswered.map(({ target, error }) => ({ certname: target.certname, error })),
    maintenance,
  };
}
