/** The members of a group: its own targets, those of its groups, and those that its sources name. */

import { evaluate, keysOf, type Members, type NarrowableScope } from '../../conditions/nodeset/evaluate.ts';
import { type Parsed, parseExpression, type Term } from '../../conditions/nodeset/expression.ts';
import { KickError } from '../../errors.ts';
import { clip } from '../../util/text.ts';
import type { GroupSources } from './group-sources.ts';
import { hostReader } from './host-names.ts';
import type { HostSources } from './host-sources.ts';
import { ALL, type Group, type GroupSource, type Inventory } from './inventory.ts';
import type { Warn } from './warn.ts';

export interface ScopeOptions {
  inventory: Inventory;
  /** Added to a name without a dot that the inventory does not know. */
  domain?: string | undefined;
  sources: HostSources;
  /** All hosts there are, where the inventory lists none. */
  everyone(): Promise<Members>;
  /** Whether a host that has this name is known beyond the inventory. */
  isKnown(certname: string): Promise<boolean>;
  /** Hosts that were found besides, and that masks match as well. */
  discovered?: Members | undefined;
  warn: Warn;
}

/** What names, masks and groups mean here. Each source of a group is asked once. */
export function createScope(options: ScopeOptions): NarrowableScope {
  const groupSources = lateSources(options);
  const known = () => knownHosts(options, groupSources);
  // A group may be looked up more than once.
  const warned = new Set<string>();
  const warn = (message: string) => {
    if (!warned.has(message)) options.warn(message);
    warned.add(message);
  };
  const room = { members: MAX_MEMBERS };
  return scopeWithin(undefined, { ...options, warn, groupSources, known, masked: known, room });
}

/** Maximum number of groups inside each other. */
const MAX_DEPTH = 1000;

/** Maximum number of members of all groups that are looked up: of many large groups, all would not fit in the memory. */
const MAX_MEMBERS = 2_000_000;

/** Loaded with the first group that has a source. */
function lateSources(options: ScopeOptions): GroupSources {
  let made: Promise<GroupSources> | undefined;
  const make = async () => (await import('./group-sources.ts')).createGroupSources(options);
  const sources = () => (made ??= make());
  return {
    byCommand: async (group, argv) => (await sources()).byCommand(group, argv),
    byQuery: async (group, pql) => (await sources()).byQuery(group, pql),
  };
}

/** Those of the inventory, with what stands for them in a plugin's place; of an inventory without targets, everybody. */
async function knownHosts(
  { inventory, everyone, discovered }: ScopeOptions,
  sources: GroupSources,
): Promise<Members> {
  if (!inventory.listsTargets) return everyone();
  const queries = (inventory.groups.get(ALL)?.sources ?? []).filter((source) => 'query' in source);
  if (queries.length === 0 && discovered === undefined) return keysOf(inventory.hosts);
  const hosts = new Set([...inventory.hosts.keys(), ...(discovered ?? [])]);
  for (const { query } of queries) for (const one of await sources.byQuery(ALL, query)) hosts.add(one);
  return hosts;
}

interface MembersOptions extends ScopeOptions {
  groupSources: GroupSources;
  known(): Promise<Members>;
  /** The names that masks are matched against. */
  masked(): Promise<Members>;
  /** Whether masks are tried on a few hosts only: then a name that leaves nobody out says nothing. */
  isNarrowed?: boolean;
  /** Groups that were looked up. */
  found?: Map<string, Promise<Members>>;
  /** How many members more may be found. */
  room: { members: number };
}

/** A group that is being looked up, and the one that it is in. */
interface Within {
  name: string;
  outer: Within | undefined;
  depth: number;
}

function scopeWithin(within: Within | undefined, options: MembersOptions): NarrowableScope {
  const { inventory, known, found = new Map() } = options;

  function members(name: string, term?: Term): Promise<Members> {
    if (name === '*' || name === ALL) return known();
    if (namesOf(within).includes(name)) return Promise.reject(containsItself(name, within));
    const depth = (within?.depth ?? 0) + 1;
    if (depth > MAX_DEPTH) return Promise.reject(tooDeep(name, within));
    const group = inventory.groups.get(name);
    if (group === undefined) return Promise.reject(unknownGroup(name, { inventory, term }));
    const before = found.get(name);
    // Groups are looked up one after another: what is not within itself is finished, or not begun.
    if (before !== undefined) return before;
    const looked = lookUp(group, {
      ...options,
      inner: scopeWithin({ name, outer: within, depth }, { ...options, found }),
    });
    found.set(name, looked);
    return looked;
  }

  return {
    host: hostReader(options),
    // Loaded with the first mask.
    matching: async (mask, term) =>
      (await import('../../conditions/nodeset/matching.ts')).maskReader(options)(mask, term),
    group: members,
    over: (hosts) =>
      scopeWithin(within, { ...options, found: new Map(), masked: async () => hosts, isNarrowed: true }),
  };
}

/** `inner`: what names mean inside the group. */
type LookUp = MembersOptions & { inner: NarrowableScope };

async function lookUp(group: Group, look: LookUp): Promise<Members> {
  // A stack of its own for each group: those inside each other are many.
  await undefined;
  const hosts = new Set(group.hosts);
  for (const child of group.children) for (const one of await look.inner.group(child)) hosts.add(one);
  for (const source of group.sources)
    for (const one of await namedBy(source, group.name, look)) hosts.add(one);
  look.room.members -= hosts.size;
  if (look.room.members < 0) throw tooMany(group);
  return hosts;
}

async function namedBy(source: GroupSource, name: string, look: LookUp): Promise<Iterable<string>> {
  if ('query' in source) return look.groupSources.byQuery(name, source.query);
  const origin = `the group "${name}"`;
  if ('nodes' in source) return hostsOf({ terms: parseExpression(source.nodes, origin), origin }, look);
  const all = new Set<string>();
  for (const terms of await look.groupSources.byCommand(name, source.command))
    for (const one of await hostsOf({ terms, origin }, look)) all.add(one);
  return all;
}

/** Reports a name that excludes nobody. A mask may well be there for hosts that are still to come. */
function hostsOf({ terms, origin }: Pick<Parsed, 'terms' | 'origin'>, look: LookUp): Promise<Set<string>> {
  return evaluate(terms, look.inner, async (term, left) => {
    if (term.kind !== 'name' || look.isNarrowed === true) return;
    const { reportIdle } = await import('./exclusion.ts');
    await reportIdle({ origin }, { term, left }, { ...look, scope: look.inner });
  });
}

/** Innermost first. */
function namesOf(within: Within | undefined): string[] {
  const names: string[] = [];
  for (let one = within; one !== undefined; one = one.outer) names.push(one.name);
  return names;
}

/** Groups of a chain that are named. */
const SHOWN = 10;

function containsItself(name: string, within: Within | undefined): KickError {
  const names = namesOf(within);
  const circle = [name, ...names.slice(0, names.indexOf(name) + 1)].reverse();
  return new KickError(
    'inventory',
    `look up the group ${quoted(name)}: it contains itself: ${chainText(circle)}`,
  );
}

function tooDeep(name: string, within: Within | undefined): KickError {
  const chain = chainText([name, ...namesOf(within)].reverse());
  return new KickError(
    'inventory',
    `look up the group ${quoted(name)}: there are more than ${MAX_DEPTH} groups inside each other: ${chain}`,
  );
}

function chainText(names: readonly string[]): string {
  const chain = names.map((one) => `@${clip(one, 80)}`);
  const shown =
    chain.length <= 2 * SHOWN ? chain : [...chain.slice(0, SHOWN), '…', ...chain.slice(chain.length - SHOWN)];
  return shown.join(' -> ');
}

function tooMany({ name }: Group): KickError {
  const what = `the groups up to here have more than ${MAX_MEMBERS} members`;
  return new KickError('inventory', `look up the group ${quoted(name)}: ${what}`);
}

const quoted = (name: string) => `"${clip(name, 80)}"`;

function unknownGroup(
  name: string,
  { inventory, term }: { inventory: Inventory; term?: Term | undefined },
): KickError {
  const names = [...inventory.groups.keys()].filter((one) => one !== ALL);
  const where = term === undefined ? '' : `, see column ${term.column}`;
  return new KickError('usage', `look up the group ${quoted(name)}: there is no such group${where}`, {
    hint: names.length === 0 ? 'the inventory has no groups' : `there are ${clip(names.join(', '), 300)}`,
  });
}

// ---------------------------------------------------------------- all hosts

/** PuppetDB's active nodes; without PuppetDB the inventory's hosts; else those whose certificates Puppet's CA has signed. */
export async function everyHost(
  { database, signedCertnames }: HostSources,
  inventory: Inventory,
): Promise<Members> {
  if (database !== undefined) return new Set(await database.active());
  if (inventory.listsTargets) return keysOf(inventory.hosts);
  const signed = await signedCertnames();
  if (signed !== undefined) return new Set(signed);
  throw new KickError('usage', 'find all hosts: there is no PuppetDB, no inventory and no Puppet CA here', {
    hint: 'name hosts, write /etc/kick/inventory.yaml, or set puppetdb: {urls: [...]} in controller.yaml',
  });
}
