/** Hosts counted by what PuppetDB, or the inventory, knows of them: facts, environment, classes, the latest report. */

import { type FactPath, valueAt } from '../conditions/fact-condition.ts';
import { KickError } from '../errors.ts';
import type { Hosts } from './choose-hosts.ts';
import { openSources } from './open-sources.ts';
import type { Site } from './site.ts';

/** Values of a facet that are named; the rarest are left out. */
const MAX_VALUES = 30;

export interface FacetValue {
  value: string;
  hosts: number;
}

export interface Facet {
  /** `os.family`; `environment`, `class` and `last` for what are no facts. */
  name: string;
  kind: 'fact' | 'environment' | 'class' | 'last';
  /** The most frequent first. */
  values: FacetValue[];
  /** How many more there are. */
  more: number;
}

export interface Facets {
  facets: Facet[];
  /** Why some are left out. */
  warnings: string[];
}

export interface WantedFact {
  name: string;
  path: FactPath;
}

/** Never throws because PuppetDB cannot be asked: what the inventory knows is counted, and a warning says so. */
export async function countFacets(site: Site, hosts: Hosts, facts: readonly WantedFact[]): Promise<Facets> {
  const certnames = hosts.targets.map(({ certname }) => certname);
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const { config } = hosts;
  const { database } = await openSources({ ...site, config, connectTimeoutMs: undefined, warn });
  if (database !== undefined) {
    try {
      const paths = facts.map(({ path }) => path);
      const [values, rest] = await Promise.all([
        paths.length === 0 ? new Map<string, readonly unknown[]>() : database.factValues(paths, certnames),
        database.countBy(certnames),
      ]);
      return {
        facets: [...factFacets(facts, certnames, (name) => values.get(name) ?? []), ...rest.map(cut)],
        warnings,
      };
    } catch (error) {
      if (!(error instanceof KickError) || error.code !== 'puppetdb') throw error;
      warn(`counted by the inventory only: ${error.message}`);
    }
  }
  const known = hosts.inventory.hosts;
  const valuesOf = (name: string) => facts.map(({ path }) => valueAt(known.get(name)?.facts, path));
  return { facets: factFacets(facts, certnames, valuesOf), warnings };
}

function factFacets(
  facts: readonly WantedFact[],
  certnames: readonly string[],
  valuesOf: (certname: string) => readonly unknown[],
): Facet[] {
  const counts = facts.map(() => new Map<string, number>());
  for (const certname of certnames) {
    for (const [at, value] of valuesOf(certname).entries()) {
      const text = textOf(value);
      const counted = counts[at];
      if (text !== undefined && counted !== undefined) counted.set(text, (counted.get(text) ?? 0) + 1);
    }
  }
  return facts.flatMap(({ name }, at) => {
    const values = [...(counts[at] ?? [])].map(([value, hosts]) => ({ value, hosts }));
    return values.length === 0 ? [] : [cut({ name, kind: 'fact', values })];
  });
}

/** Only plain values can be chosen by; undefined for lists and mappings. */
function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value).slice(0, 256) : undefined;
}

function cut({ values, ...facet }: Omit<Facet, 'more'>): Facet {
  const sorted = [...values].sort((a, b) => b.hosts - a.hosts || (a.value < b.value ? -1 : 1));
  return { ...facet, values: sorted.slice(0, MAX_VALUES), more: Math.max(0, sorted.length - MAX_VALUES) };
}
