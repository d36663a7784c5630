/** The options that choose hosts, and what they mean. */
import { randomBytes } from 'node:crypto';
import type { FactCondition } from '../../conditions/fact-condition.ts';
import type { Named } from '../../conditions/nodeset/expression.ts';
import { wordsIn } from '../../conditions/nodeset/words.ts';
import type { WhereCondition } from '../../conditions/where.ts';
import type { Selection } from '../../controller/targeting/selection.ts';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { LAST_KINDS, type LastKind } from '../../protocol/names.ts';
import type { Share } from '../../util/share.ts';
import { type Command, Option } from '../commander.ts';
import { inGroup, OPTION_GROUPS } from './groups.ts';
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
  where?: string[];
  last?: string[];
  olderThan: number;
  limit?: Share;
  seed?: string;
  includeMaintenance?: boolean;
  discover?: boolean;
  discoveryTimeout?: number;
  fqdn: boolean;
  port?: number;
  via?: string;
  connectTimeout?: number;
  /** Only for commands that have it. */
  quiet?: boolean;
}

const MAX_NODES_FILE = 64 << 20;

export function addHostOptions(command: Command): void {
  command.argument('[hosts...]', "certnames, inventory names, 'web[01-20]', 'web*', @group");
  inGroup(command, OPTION_GROUPS.hosts, () => addChoices(command));
}

function addChoices(command: Command): void {
  const several = (value: string, before: string[] = []) => [...before, value];
  const repeatable = (flags: string, what: string) => new Option(flags, what).argParser(several);
  command
    .addOption(repeatable('--host <hosts>', 'like an argument; repeatable, as are most of these options'))
    .addOption(repeatable('--group <group>', 'a group of the inventory, like @NAME'))
    .addOption(repeatable('--nodes-file <file>', 'hosts from a file (text, or JSON of kick); - is stdin'))
    .option(
      '--all',
      "PuppetDB's active nodes, else the inventory's hosts, else those with a certificate of the local CA",
    )
    .addOption(repeatable('--exclude <hosts>', 'leave these out'))
    .addOption(repeatable('--query <pql>', 'keep hosts that this PuppetDB query finds'))
    .addOption(
      repeatable(
        '--fact <condition>',
        'keep hosts with this fact: os.family=Debian (=, !=, ~, <, >, <=, >=)',
      ),
    )
    .addOption(repeatable('--class <name>', 'keep hosts with this Puppet class'))
    .addOption(
      repeatable(
        '--where <expression>',
        "facts and classes with and, or, not: 'os.family=Debian and not class(apache)'",
      ),
    )
    .addOption(
      repeatable('--last <kind>', `keep hosts by their latest run: ${LAST_KINDS.join(', ')} (a list)`),
    )
    .addOption(
      new Option('--older-than <time>', 'age of a run from which it is stale')
        .argParser(duration)
        .default(7_200_000, '2h'),
    )
    .addOption(new Option('--limit <n>', 'keep N or N% of the hosts, at random').argParser(share(1)))
    .option('--seed <text>', 'make --limit pick the same hosts again')
    .option('--discover', 'the hosts whose agents answer through NATS; conditions are judged by them')
    .addOption(
      new Option(
        '--discovery-timeout <time>',
        'how long to wait for answers (default: while they come)',
      ).argParser(duration),
    )
    .option('--include-maintenance', 'include the group "maintenance"')
    .option('--no-fqdn', "do not append the controller's domain to short names");
}

/** The selection that arguments and options make. Throws `KickError` `usage`. */
export async function selectionOf(words: readonly string[], options: HostOptions): Promise<Selection> {
  refuseEmpty(words, options);
  const { query = [], fact = [], last = [], exclude = [], seed } = options;
  return {
    named: await namedBy(words, options),
    exclude: exclude.map((text) => ({ text, origin: '--exclude' })),
    all: options.all === true,
    queries: query,
    facts: await factsOf(fact),
    classes: options.class ?? [],
    wheres: await wheresOf(options.where ?? []),
    last: last.flatMap((text) => text.split(',')).map(lastKind),
    olderThanMs: options.olderThan,
    limit: options.limit,
    seed: seed ?? randomBytes(4).toString('hex'),
    includeMaintenance: options.includeMaintenance === true,
    discover: discoverOf(options),
  };
}

/** Longer than this, and agents may no longer take the question for a new one. */
const MAX_DISCOVERY_MS = 60_000;

function discoverOf({ discover, discoveryTimeout: waitMs }: HostOptions): Selection['discover'] {
  if (discover === true && (waitMs ?? 0) <= MAX_DISCOVERY_MS) return { waitMs };
  if (waitMs === undefined) return undefined;
  const why = discover === true ? 'longer than 1m' : 'there is no --discover to wait for';
  throw new KickError('usage', `--discovery-timeout: ${why}`);
}

/** Whether a command line says nothing of hosts. One that names an empty list does say something: nobody. */
export function namesNobody(words: readonly string[], options: HostOptions): boolean {
  const { host, group, nodesFile, query, fact, class: classes, last, where, discover } = options;
  return (
    words.length === 0 &&
    [host, group, nodesFile, query, fact, classes, last, where, discover].every((one) => !one)
  );
}

/** Refuses empty values, most likely unset variables in a script, whatever else is given. */
function refuseEmpty(words: readonly string[], options: HostOptions): void {
  const { host = [], group = [], nodesFile = [], query = [], fact = [], last = [], where = [] } = options;
  const given: [string, string][] = [
    ...words.map((text, index): [string, string] => [`argument ${index + 1}`, text]),
    ...Object.entries({ host, group, 'nodes-file': nodesFile, query, fact, last, where }).flatMap(
      ([name, texts]) => texts.map((text): [string, string] => [`--${name}`, text]),
    ),
    // In Puppet, ::apache is apache.
    ...(options.class ?? []).map((text): [string, string] => ['--class', text.trim().replace(/^::/, '')]),
    ...group.map((text): [string, string] => ['--group', text.trim().replace(/^@/, '')]),
  ];
  const [empty] = given.find(([, text]) => text.trim() === '') ?? [];
  if (empty === undefined) return;
  throw new KickError('usage', `${empty}: it is empty, and names nobody`, {
    hint: 'a variable that is not set? leave out what is not meant',
  });
}

async function wheresOf(texts: readonly string[]): Promise<WhereCondition[]> {
  if (texts.length === 0) return [];
  const { parseWhere } = await import('../../conditions/where.ts');
  return texts.map(parseWhere);
}

async function factsOf(texts: readonly string[]): Promise<FactCondition[]> {
  if (texts.length === 0) return [];
  const { parseFactCondition } = await import('../../conditions/fact-condition.ts');
  return texts.map(parseFactCondition);
}

async function namedBy(words: readonly string[], options: HostOptions): Promise<Named[]> {
  const { host = [], group = [], nodesFile = [] } = options;
  const named: Named[] = [
    ...words.map((text, index) => ({ text, origin: `argument ${index + 1}` })),
    ...host.map((text) => ({ text, origin: '--host' })),
    ...group.map((text) => ({ text: asGroups(text), origin: '--group' })),
  ];
  for (const file of new Set(nodesFile)) {
    const { parseNodesFile } = await import('../../controller/targeting/nodes-file.ts');
    for (const one of parseNodesFile(await readNodes(file), file === '-' ? 'stdin' : file)) named.push(one);
  }
  return named;
}

/** Turns every name into a group: `web,db` is `@web,@db`. Brackets belong to names. */
function asGroups(text: string): string {
  return [...wordsIn(text, ',!&^')]
    .map((one) => (one.isWord && !one.text.startsWith('@') ? `@${one.text}` : one.text))
    .join('');
}

function lastKind(text: string): LastKind {
  const kind = LAST_KINDS.find((one) => one === text.trim());
  if (kind !== undefined) return kind;
  throw new KickError('usage', `--last: "${text}" is not known`, { hint: `one of ${LAST_KINDS.join(', ')}` });
}

async function readNodes(file: string): Promise<string> {
  const { boundedText, readBounded } = await import('../../util/bounded-text.ts');
  try {
    return file === '-'
      ? await boundedText(process.stdin, MAX_NODES_FILE)
      : await readBounded(file, MAX_NODES_FILE);
  } catch (error) {
    const why = systemCode(error) === 'ENOENT' ? 'there is no such file' : messageOf(error);
    throw new KickError('usage', `read the list of nodes "${file}": ${why}`, { cause: error });
  }
}
