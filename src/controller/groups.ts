/** Who is in a group: its own targets, its groups' and whom its sources name. */
import { KickError, messageOf } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { clip } from '../util/text.ts';
import type { HostSources } from './host-sources.ts';
import { ALL, certnameIn, type GroupSource, type Inventory } from './inventory.ts';
import { evaluate, globTest, keysOf, type Members, type Scope } from './nodeset/evaluate.ts';
import { parseExpression, type Term } from './nodeset/expression.ts';
import { MAX_NAMES } from './nodeset/range.ts';

export interface ScopeOptions {
  inventory: Inventory;
  /** Added to a name without a dot that the inventory does not know. */
  domain?: string | undefined;
  sources: HostSources;
  /** All hosts there are, where the inventory names none. */
  everyone(): Promise<Members>;
}

/** What names, masks and groups mean here. Each group is asked for once. */
export function createScope({ inventory, domain, sources, everyone }: ScopeOptions): Scope {
  const found = new Map<string, Promise<Members>>();

  const known = async (): Promise<Members> =>
    inventory.hosts.size > 0 ? keysOf(inventory.hosts) : everyone();

  /** `within`: the groups that are being looked up, outermost first. */
  function scopeWithin(within: readonly string[]): Scope {
    return { host, matching, group: (name, term) => members(name, { within, term }) };
  }

  function host(name: string, term: Term): string {
    const known = certnameIn(inventory, name);
    if (known !== undefined) return known;
    const lower = name.toLowerCase().replace(/\.$/, '');
    const full = lower.includes('.') || domain === undefined ? lower : `${lower}.${domain}`;
    const certname = certnameIn(inventory, lower) ?? certnameIn(inventory, full) ?? full;
    if (isCertname(certname)) return certname;
    throw new KickError(
      'usage',
      `read the host names: not a certname: ${JSON.stringify(name)} (in "${clip(term.text, 80)}")`,
      {
        hint: 'a certname is made of letters, digits, ".", "-" and "_", as "puppet config print certname" shows it',
      },
    );
  }

  async function matching(mask: string): Promise<string[]> {
    const fits = globTest(mask.toLowerCase());
    // A short mask means the short names of our domain, as a short name does.
    const fitsShort =
      mask.includes('.') || domain === undefined ? () => false : globTest(`${mask.toLowerCase()}.${domain}`);
    return [...(await known())].filter((name) => fits(name) || fitsShort(name));
  }

  function members(
    name: string,
    { within, term }: { within: readonly string[]; term?: Term | undefined },
  ): Promise<Members> {
    if (name === '*' || name === ALL) return known();
    if (within.includes(name)) {
      const circle = [...within.slice(within.indexOf(name)), name].map((one) => `@${one}`).join(' -> ');
      return Promise.reject(
        new KickError('inventory', `look up the group "${name}": it contains itself: ${circle}`),
      );
    }
    if (!inventory.groups.has(name)) return Promise.reject(unknownGroup(name, term));
    const before = found.get(name);
    // Groups are looked up one after another: what is not within itself is finished, or not begun.
    if (before !== undefined) return before;
    const looked = lookUp(name, [...within, name]);
    found.set(name, looked);
    return looked;
  }

  function unknownGroup(name: string, term: Term | undefined): KickError {
    const names = [...inventory.groups.keys()].filter((one) => one !== ALL);
    const where = term === undefined ? '' : `, see column ${term.column}`;
    return new KickError('usage', `look up the group "${name}": there is no such group${where}`, {
      hint: names.length === 0 ? 'the inventory has no groups' : `there are ${clip(names.join(', '), 300)}`,
    });
  }

  async function lookUp(name: string, within: readonly string[]): Promise<Members> {
    const group = inventory.groups.get(name);
    const hosts = new Set(group?.hosts);
    for (const child of group?.children ?? [])
      for (const one of await members(child, { within })) hosts.add(one);
    for (const source of group?.sources ?? [])
      for (const one of await namedBy(name, source, within)) hosts.add(one);
    return hosts;
  }

  async function namedBy(
    name: string,
    source: GroupSource,
    within: readonly string[],
  ): Promise<Iterable<string>> {
    if ('nodes' in source)
      return evaluate(parseExpression(source.nodes, `the group "${name}"`), scopeWithin(within));
    if ('command' in source) return namedByCommand(name, source.command, within);
    if (sources.database !== undefined) return sources.database.byQuery(source.query);
    throw new KickError('inventory', `look up the group "${name}": it is a query, and there is no PuppetDB`, {
      hint: 'controller.yaml, puppetdb: {urls: [https://puppetdb.example.com:8081]}',
    });
  }

  async function namedByCommand(
    name: string,
    argv: readonly string[],
    within: readonly string[],
  ): Promise<Set<string>> {
    const doing = `look up the group "${name}" with ${argv[0]}`;
    let output: string;
    try {
      output = await sources.outputOf(argv);
    } catch (error) {
      throw new KickError('inventory', `${doing}: ${messageOf(error)}`, {
        hint: `try it by hand: ${clip(argv.join(' '), 200)}`,
        cause: error,
      });
    }
    const all = new Set<string>();
    for (const [index, line] of output.split('\n').entries()) {
      const text = line.replace(/#.*$/, '').trim();
      if (text === '') continue;
      const origin = `line ${index + 1} of what ${argv[0]} printed`;
      for (const one of await evaluate(parseExpression(text, origin), scopeWithin(within))) all.add(one);
      if (all.size > MAX_NAMES)
        throw new KickError('inventory', `${doing}: it named more than ${MAX_NAMES} hosts`);
    }
    return all;
  }

  return scopeWithin([]);
}
