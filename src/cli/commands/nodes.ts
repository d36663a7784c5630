/** `kick nodes`: which hosts would a kick reach, and why? Sends them nothing. */
import type { Command } from 'commander';
import { foldNames } from '../../conditions/nodeset/fold.ts';
import { DEFAULT_PORT } from '../../config/controller-config.ts';
import type { Hosts } from '../../controller/choose-hosts.ts';
import type { Explained } from '../../controller/targeting/choice.ts';
import { reachText } from '../../controller/targeting/targets.ts';
import { KickError } from '../../errors.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { safeJson, safeText } from '../../util/text.ts';
import type { CommandContext } from '../context.ts';
import { addFolderOptions } from '../options/folders.ts';
import { addHostOptions, type HostOptions } from '../options/host-options.ts';
import { choiceOption } from '../options/option-choices.ts';
import { addConnectionOptions } from '../options/run-options.ts';
import { prepareHosts } from './hosts.ts';

const EXAMPLES = `
Examples:
  kick nodes @dmz '!web[07-09]'           folded: web[01-06,10].example.com
  kick nodes 'web[01-20]&@dmz' --expand   one host per line
  kick nodes --all --fact os.family=Debian --explain
  kick nodes --last failed --format json
  kick nodes --discover --fact os.family=Debian

Everything that names hosts (arguments, --host, --group, --nodes-file, --all) is
a union. --query, --fact, --class, --where and --last then keep the hosts that
match each of them; --exclude and --limit leave out more. Names that match no
host choose none, never all. Operators apply from left to right: "," union, "!"
difference, "&" intersection, "^" symmetric difference.

Facts: os.release.full>=12.4, mounts."/boot".size<5, disks[0]=sda. Numbers are
compared as numbers, text as versions.
`;

interface NodesOptions extends HostOptions {
  expand?: boolean;
  count?: boolean;
  explain?: boolean;
  format: string;
}

export function addNodesCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('nodes')
    .description('show which hosts a kick would reach; sends nothing')
    .option('--expand', 'print one host per line')
    .option('--count', 'print only how many')
    .option('--explain', 'print every host that was named, in or out, and why')
    .addOption(choiceOption('--format <format>', 'human or json', ['human', 'json']).default('human'))
    .addHelpText('after', EXAMPLES);
  addHostOptions(command);
  addConnectionOptions(command);
  addFolderOptions(command);
  command.action(async (words: string[], options: NodesOptions) => {
    if (options.format !== 'human' && options.format !== 'json') {
      throw new KickError('usage', `--format: "${options.format}" is not known`, { hint: 'human or json' });
    }
    const hosts = await prepareHosts(words, options, command, context);
    context.terminal.out(textOf(hosts, options));
    // Scripts must be able to see that the list is incomplete.
    context.exit(hosts.unanswered.length > 0 ? EXIT.incomplete : 0);
  });
}

function textOf(hosts: Hosts, options: NodesOptions): string {
  const { expand, count, explain, format } = options;
  const names = hosts.targets.map(({ certname }) => certname);
  if (format === 'json') return `${safeJson(documentOf(hosts, options), 2)}\n`;
  if (count === true) return `${names.length}\n`;
  if (explain === true) return explainedText(hosts.explained(), reachTexts(hosts, options));
  if (expand === true) return names.map((name) => `${name}\n`).join('');
  return names.length === 0 ? '' : `${foldNames(names)}\n`;
}

function documentOf(hosts: Hosts, options: NodesOptions): object {
  const { targets, maintenance, unanswered, selection, inventory, discovery } = hosts;
  const explained = hosts.explained();
  const reach = reachTexts(hosts, options);
  return {
    count: targets.length,
    folded: foldNames(targets.map(({ certname }) => certname)),
    nodes: targets.map((target) => ({ ...target, reached: reach.get(target.certname) })),
    ...(selection.limit !== undefined && { seed: selection.seed }),
    out: explained.filter(({ isIn }) => !isIn).map(({ certname, because }) => ({ certname, because })),
    maintenance,
    ...(discovery !== undefined && { discovery }),
    unanswered: unanswered.map(({ target, error }) => ({ certname: target.certname, error })),
    ...(inventory.warnings.length > 0 && { warnings: inventory.warnings.map(({ text }) => text) }),
    because: Object.fromEntries(
      explained.filter(({ isIn }) => isIn).map(({ certname, because }) => [certname, because]),
    ),
  };
}

/** Where each host is expected, and why. */
function reachTexts({ targets, inventory, config }: Hosts, { port }: NodesOptions): Map<string, string> {
  const ofSite = config.port === DEFAULT_PORT ? 'the default' : 'port in controller.yaml';
  const portFrom = port === undefined ? ofSite : '--port';
  return new Map(targets.map((target) => [target.certname, reachText(target, { inventory, portFrom })]));
}

function explainedText(explained: readonly Explained[], reach: ReadonlyMap<string, string>): string {
  const width = Math.max(0, ...explained.slice(0, 1000).map(({ certname }) => certname.length));
  return explained
    .map(({ certname, isIn, because }) => {
      const shown = isIn ? [...because, reach.get(certname) ?? ''] : because.slice(-1);
      return `${isIn ? 'in ' : 'out'}  ${certname.padEnd(width)}  ${safeText(shown.join('; '))}\n`;
    })
    .join('');
}
