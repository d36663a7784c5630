/**
 * Chooses hosts by conditions on facts. PuppetDB and the inventory only supply values, which are judged here, so that
 * the same facts choose the same hosts wherever they come from.
 */
import { type FactCondition, judge, valueAt } from '../../conditions/fact-condition.ts';
import { fitsOf, judgeFacts, shownValue } from '../../conditions/judge-facts.ts';
import { hostList } from '../../conditions/nodeset/host-list.ts';
import { plural } from '../../util/text.ts';
import { checkHasFacts } from './has-facts.ts';
import type { Found, HostsOfOptions } from './question.ts';

/** Maximum number of values named in a warning. */
const SHOWN = 5;

/** The values of the facts for each host, in the order of the conditions. */
type Values = ReadonlyMap<string, readonly unknown[]>;

/** Throws `KickError` if there is no source of facts. */
export async function byFacts(conditions: readonly FactCondition[], options: HostsOfOptions): Promise<Found> {
  const values = await valuesOf(conditions, options);
  const hosts = new Set<string>();
  /** Per condition, hosts for which it cannot be judged and that meet all other conditions. */
  const incomparable = conditions.map((): [certname: string, value: unknown][] => []);
  const fits = fitsOf(conditions, values.values());
  for (const [certname, facts] of values) {
    const verdict = judgeFacts(conditions, facts, fits);
    if (verdict === true) hosts.add(certname);
    if (typeof verdict === 'number') incomparable[verdict]?.push([certname, facts[verdict]]);
  }
  const { warn } = options.context;
  const why = new Map<string, string>();
  for (const [at, { text }] of conditions.entries()) {
    if (values.size > 0 && [...values.values()].every((facts) => facts[at] === undefined))
      warn(`--fact ${text}: no host has this fact`);
    const unclear = incomparable[at] ?? [];
    for (const [certname, value] of unclear)
      why.set(certname, `--fact ${text}: ${shownValue(value)} cannot be compared`);
    if (unclear.length > 0) warn(incomparableText(text, unclear));
  }
  return { hosts, why };
}

function incomparableText(
  text: string,
  unclear: readonly (readonly [certname: string, value: unknown])[],
): string {
  const byValue = new Map<string, string[]>();
  for (const [certname, value] of unclear) {
    const hosts = byValue.get(shownValue(value));
    if (hosts === undefined) byValue.set(shownValue(value), [certname]);
    else hosts.push(certname);
  }
  const groups = [...byValue].map(([value, hosts]) => ({ value, hosts }));
  const names = groups.slice(0, SHOWN).map(({ value, hosts }) => `${hostList(hosts)} (${value})`);
  const left = groups.slice(SHOWN).reduce((sum, { hosts }) => sum + hosts.length, 0);
  const more = left > 0 ? ` and ${left} more` : '';
  return `--fact ${text}: cannot be compared on ${plural(unclear.length, 'host')}, left out: ${names.join(', ')}${more}`;
}

export async function valuesOf(
  conditions: readonly FactCondition[],
  { from, context }: HostsOfOptions,
): Promise<Values> {
  const { inventory, sources } = context;
  const paths = conditions.map(({ path }) => path);
  const isWanted = from === undefined ? () => true : among(from);
  const found = new Map<string, readonly unknown[]>();
  if (sources.database === undefined) {
    checkHasFacts(inventory, '--fact');
    for (const { certname, facts } of inventory.hosts.values())
      if (isWanted(certname))
        found.set(
          certname,
          paths.map((path) => valueAt(facts, path)),
        );
    return found;
  }
  for (const [certname, facts] of await sources.database.factValues(paths, from))
    if (isWanted(certname)) found.set(certname, facts);
  // A node that has never sent facts has none, like a host without facts in the inventory.
  if (conditions.every((condition) => judge(undefined, condition) === true))
    for (const certname of await sources.database.active())
      if (isWanted(certname) && !found.has(certname)) found.set(certname, []);
  return found;
}

function among(certnames: readonly string[]): (certname: string) => boolean {
  const set = new Set(certnames);
  return (certname) => set.has(certname);
}
