/** Who is in a group: its own targets, its groups' and whom its sources name. */
import { KickError } from '../../errors.ts';
import { isCertname } from '../../protocol/names.ts';
import { clip } from '../../util/text.ts';
import { createGroupSources, type GroupSources } from './group-sources.ts';
import type { HostSources } from './host-sources.ts';
import { ALL, certnameIn, type GroupSource, type Inventory } from './inventory.ts';
import { evaluate, globTest, keysOf, type Members, type Scope } from './nodeset/evaluate.ts';
import { parseExpression, type Term } from './nodeset/expression.ts';
import type { Warn } from './warn.ts';

export interface ScopeOptions {
  inventory: Inventory;
  /** Added to a name without a dot that the inventory does not know. */
  domain?: string | undefined;
  sources: HostSources;
  /** All hosts there are, where the inventory lists none. */
  everyone(): Promise<Members>;
  warn: Warn;
}

/** What names, masks and groups mean here. Each source of a group is asked once. */
export function createScope(options: ScopeOptions): NarrowableScope {
  const groupSources = createGroupSources(options);
  const known = () => knownHosts(options, groupSources);
  return scopeWithin([], { ...options, groupSources, known, masked: known });
}

/** `over` cannot be missing. */
export type NarrowableScope = Scope & Required<Pick<Scope, 'over'>>;

/** Those of the inventory, with what stands for them in a plugin's place; of an inventory without targets, everybody. */
async function knownHosts({ inventory, everyone }: ScopeOptions, sources: GroupSources): Promise<Members> {
  if (!inventory.listsTargets) return everyone();
  const queries = (inventory.groups.get(ALL)?.sources ?? []).filter((source) => 'query' in source);
  if (queries.length === 0) return keysOf(inventory.hosts);
  const hosts = new Set(inventory.hosts.keys());
  for (const { query } of queries) for (const one of await sources.byQuery(ALL, query)) hosts.add(one);
  return hosts;
}

interface MembersOptions extends ScopeOptions {
  groupSources: GroupSources;
  known(): Promise<Members>;
  /** On whom masks are tried. */
  masked(): Promise<Members>;
  /** Groups that were looked up. */
  found?: Map<string, Promise<Members>>;
}

/** `within`: the groups that are being looked up, outermost first. */
function scopeWithin(within: readonly string[], options: MembersOptions): NarrowableScope {
  const { inventory, domain, groupSources, known, masked, found = new Map() } = options;
  const scopeOf = (group: string) => scopeWithin([...within, group], { ...options, found });

  function host(name: string, term: Term): string {
    if (term.isQuoted === true) return name;
    const known = certnameIn(inventory, name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase().replace(/\.$/, '');
    const full = lower.includes('.') || domain === undefined ? lower : `${lower}.${domain}`;
    const certname = certnameIn(inventory, lower) ?? certnameIn(inventory, full) ?? full;
    if (isCertname(certname)) return certname;
    throw new KickError(
      'usage',
      `read the host names: not a certname: ${JSON.stringify(clip(name, 80))} (in "${clip(term.text, 80)}")`,
      { hint: 'printable ASCII without "/", as "puppet config print certname" shows it' },
    );
  }

  async function matching(mask: string): Promise<string[]> {
    const fits = globTest(mask.toLowerCase());
    // A short mask means the short names of our domain, as a short name does.
    const fitsShort =
      mask.includes('.') || domain === undefined ? () => false : globTest(`${mask.toLowerCase()}.${domain}`);
    return [...(await masked())].filter((name) => fits(name) || fitsShort(name));
  }

  function members(name: string, term?: Term): Promise<Members> {
    if (name === '*' || name === ALL) return known();
    if (within.includes(name)) {
      const circle = [...within.slice(within.indexOf(name)), name].map((one) => `@${one}`).join(' -> ');
      return Promise.reject(
        new KickError('inventory', `look up the group "${name}": it contains itself: ${circle}`),
      );
    }
    if (!inventory.groups.has(name)) return Promise.reject(unknownGroup(name, { inventory, term }));
    const before = found.get(name);
    // Groups are looked up one after another: what is not within itself is finished, or not begun.
    if (before !== undefined) return before;
    const looked = lookUp(name);
    found.set(name, looked);
    return looked;
  }

  async function lookUp(name: string): Promise<Members> {
    const group = inventory.groups.get(name);
    const inner = scopeOf(name);
    const hosts = new Set(group?.hosts);
    for (const child of group?.children ?? []) for (const one of await inner.group(child)) hosts.add(one);
    for (const source of group?.sources ?? [])
      for (const one of await namedBy(name, source, inner)) hosts.add(one);
    return hosts;
  }

  async function namedBy(name: string, source: GroupSource, inner: Scope): Promise<Iterable<string>> {
    if ('query' in source) return groupSources.byQuery(name, source.query);
    if ('nodes' in source) return evaluate(parseExpression(source.nodes, `the group "${name}"`), inner);
    const all = new Set<string>();
    for (const terms of await groupSources.byCommand(name, source.command))
      for (const one of await evaluate(terms, inner)) all.add(one);
    return all;
  }

  return {
    host,
    matching,
    group: members,
    over: (hosts) => scopeWithin(within, { ...options, found: new Map(), masked: async () => hosts }),
  };
}

function unknownGroup(
  name: string,
  { inventory, term }: { inventory: Inventory; term?: Term | undefined },
): KickError {
  const names = [...inventory.groups.keys()].filter((one) => one !== ALL);
  const where = term === undefined ? '' : `, see column ${term.column}`;
  return new KickError('usage', `look up the group "${name}": there is no such group${where}`, {
    hint: names.length === 0 ? 'the inventory has no groups' : `there are ${clip(names.join(', '), 300)}`,
  });
}
