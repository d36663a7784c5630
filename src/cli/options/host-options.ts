/** The options that choose hosts, and the choice that they mean. */
import { randomBytes } from 'node:crypto';
import { type Command, Option } from 'commander';
import { parseFactCondition } from '../../controller/targeting/fact-condition.ts';
import { LAST_KINDS, type LastKind } from '../../controller/targeting/host-sources.ts';
import { parseNodesFile } from '../../controller/targeting/nodes-file.ts';
import type { Named } from '../../controller/targeting/nodeset/expression.ts';
import type { Selection } from '../../controller/targeting/selection.ts';
import { KickError, messageOf } from '../../errors.ts';
import { boundedText, readBounded } from '../../util/bounded-text.ts';
import type { Share } from '../../util/share.ts';
import { duration, share } from './option-values.ts';

export interface HostOptions {
  host?: string[];
  group?: string[];
  nodesFile?: string[];
  exclude?: string[];
  all?: boolean;
  query?: string[];
  fact?: string[];
  class?: string[];
  last?: string[];
  olderThan: number;
  limit?: Share;
  seed?: string;
  includeMaintenance?: boolean;
  fqdn: boolean;
  port?: number;
  connectTimeout?: number;
  /** Of the commands that have it. */
  quiet?: boolean;
}

const MAX_NODES_FILE = 64 << 20;

export function addHostOptions(command: Command): void {
  const several = (value: string, before: string[] = []) => [...before, value];
  const repeatable = (flags: string, what: string) => new Option(flags, what).argParser(several);
  command
    .argument('[hosts...]', "certnames, names of the inventory, 'web[01-20]', 'web*', @group")
    .addOption(repeatable('--host <hosts>', 'the same, as an option (repeatable, as all of these)'))
    .addOption(repeatable('--group <group>', 'a group of the inventory: as @NAME'))
    .addOption(repeatable('--nodes-file <file>', 'hosts from a file, # comments; - is stdin'))
    .option(
      '--all',
      "PuppetDB's active nodes, else the inventory's, else those with a certificate of the CA here",
    )
    .addOption(repeatable('--exclude <hosts>', 'all but these'))
    .addOption(repeatable('--query <pql>', 'of these, those that a query of PuppetDB finds'))
    .addOption(
      repeatable('--fact <condition>', 'of these, os.family=Debian and the like (=, !=, ~, <, >, <=, >=)'),
    )
    .addOption(repeatable('--class <name>', 'of these, those with a class of Puppet'))
    .addOption(
      repeatable('--last <kind>', `of these, those whose latest run was ${LAST_KINDS.join(', ')} (a list)`),
    )
    .addOption(
      new Option('--older-than <time>', 'what "--last stale" means')
        .argParser(duration)
        .default(7_200_000, '2h'),
    )
    .addOption(new Option('--limit <n>', 'of these, N or N% at random').argParser(share(1)))
    .option('--seed <text>', 'make --limit choose the same ones again')
    .option('--include-maintenance', 'also those of the group "maintenance"')
    .option('--no-fqdn', "take short names as typed, without the controller's domain");
}

/** What the words and options choose. Throws `KickError` `usage`. */
export async function selectionOf(words: readonly string[], options: HostOptions): Promise<Selection> {
  refuseEmpty(words, options);
  const { query = [], fact = [], last = [], exclude = [], seed } = options;
  return {
    named: await namedBy(words, options),
    exclude: exclude.map((text) => ({ text, origin: '--exclude' })),
    all: options.all === true,
    queries: query,
    facts: fact.map(parseFactCondition),
    classes: options.class ?? [],
    last: last.flatMap((text) => text.split(',')).map(lastKind),
    olderThanMs: options.olderThan,
    limit: options.limit,
    seed: seed ?? randomBytes(4).toString('hex'),
    includeMaintenance: options.includeMaintenance === true,
  };
}

/** A variable of a script that is not set names nobody, whatever stands beside it. */
function refuseEmpty(words: readonly string[], options: HostOptions): void {
  const { host = [], group = [], nodesFile = [], query = [], fact = [], last = [] } = options;
  const given: [string, string][] = [
    ...words.map((text, index): [string, string] => [`argument ${index + 1}`, text]),
    ...Object.entries({ host, group, 'nodes-file': nodesFile, query, fact, last }).flatMap(([name, texts]) =>
      texts.map((text): [string, string] => [`--${name}`, text]),
    ),
    // As Puppet writes it, ::apache is apache.
    ...(options.class ?? []).map((text): [string, string] => ['--class', text.trim().replace(/^::/, '')]),
    ...group.map((text): [string, string] => ['--group', text.trim().replace(/^@/, '')]),
  ];
  const [empty] = given.find(([, text]) => text.trim() === '') ?? [];
  if (empty === undefined) return;
  throw new KickError('usage', `${empty}: it is empty, and names nobody`, {
    hint: 'a variable that is not set? leave out what is not meant',
  });
}

async function namedBy(words: readonly string[], options: HostOptions): Promise<Named[]> {
  const { host = [], group = [], nodesFile = [] } = options;
  const named: Named[] = [
    ...words.map((text, index) => ({ text, origin: `argument ${index + 1}` })),
    ...host.map((text) => ({ text, origin: '--host' })),
    ...group.map((name) => ({ text: name.startsWith('@') ? name : `@${name}`, origin: '--group' })),
  ];
  for (const file of new Set(nodesFile)) {
    for (const one of parseNodesFile(await readNodes(file), file === '-' ? 'stdin' : file)) named.push(one);
  }
  return named;
}

function lastKind(text: string): LastKind {
  const kind = LAST_KINDS.find((one) => one === text.trim());
  if (kind !== undefined) return kind;
  throw new KickError('usage', `--last: "${text}" is not known`, { hint: `one of ${LAST_KINDS.join(', ')}` });
}

async function readNodes(file: string): Promise<string> {
  try {
    return file === '-'
      ? await boundedText(process.stdin, MAX_NODES_FILE)
      : await readBounded(file, MAX_NODES_FILE);
  } catch (error) {
    throw new KickError('usage', `read the list of nodes "${file}": ${messageOf(error)}`, { cause: error });
  }
}
