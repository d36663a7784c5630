/** Hosts counted by the values of one fact, as `mco facts` does: what PuppetDB, or else the inventory, knows of it. */
import { type FactPath, valueAt } from '../conditions/fact-condition.ts';
import { shownValue } from '../conditions/judge-facts.ts';
import { UNKNOWN_FACT } from '../conditions/unknown-fact.ts';
import type { Hosts } from './choose-hosts.ts';
import { openSources } from './open-sources.ts';
import type { Site } from './site.ts';
import { checkHasFacts } from './targeting/has-facts.ts';

export interface FactValue {
  /** As Puppet has it: a text, a number, a boolean, a list or a mapping. */
  value: unknown;
  certnames: string[];
}

export interface FactCounts {
  /** The most frequent first. */
  values: FactValue[];
  /** Hosts without this fact. */
  none: string[];
  /** Hosts for which nobody can say, and why. */
  unclear: { certname: string; why: string }[];
}

/** Throws `KickError` if there is no source of facts, or it cannot be asked. */
export async function countFact(site: Site, hosts: Hosts, path: FactPath): Promise<FactCounts> {
  const certnames = hosts.targets.map(({ certname }) => certname);
  const known = await valuesOf(site, hosts, { path, certnames });
  const values = new Map<string, FactValue>();
  const none: string[] = [];
  const unclear = hosts.unanswered.map(({ target: { certname }, error = 'no answer' }) => ({
    certname,
    why: error,
  }));
  for (const certname of certnames) {
    const value = known(certname);
    if (value === UNKNOWN_FACT) unclear.push({ certname, why: shownValue(value) });
    else if (value === undefined || value === null) none.push(certname);
    else {
      const key = JSON.stringify(value, inOrder);
      const alike = values.get(key);
      if (alike === undefined) values.set(key, { value, certnames: [certname] });
      else alike.certnames.push(certname);
    }
  }
  const sorted = [...values].sort(
    ([a, one], [b, other]) =>
      other.certnames.length - one.certnames.length || a.localeCompare(b, 'en', { numeric: true }),
  );
  return { values: sorted.map(([, counted]) => counted), none, unclear };
}

interface Wanted {
  path: FactPath;
  certnames: readonly string[];
}

async function valuesOf(
  site: Site,
  { config, inventory }: Hosts,
  { path, certnames }: Wanted,
): Promise<(certname: string) => unknown> {
  const warn = () => {};
  const { database } = await openSources({ ...site, config, connectTimeoutMs: undefined, warn });
  if (database === undefined) {
    checkHasFacts(inventory, 'count hosts by a fact');
    return (certname) => valueAt(inventory.hosts.get(certname)?.facts, path);
  }
  if (certnames.length === 0) return () => undefined;
  const found = await database.factValues([path], certnames);
  return (certname) => found.get(certname)?.[0];
}

/** Mappings are equal whatever the order of their keys. What a plugin of Bolt's would know stays visible as such. */
function inOrder(_key: string, value: unknown): unknown {
  if (value === UNKNOWN_FACT) return shownValue(value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
