/**
 * Of whom conditions on facts hold. PuppetDB and the inventory only tell the values: both are judged here,
 * so that the same facts choose the same hosts, wherever they come from.
 */
import { KickError } from '../../errors.ts';
import { clip, plural } from '../../util/text.ts';
import { type FactCondition, judge, valueAt } from './fact-condition.ts';
import type { Inventory } from './inventory.ts';
import type { Found, HostsOfOptions } from './question.ts';
import { UNKNOWN_FACT } from './unknown-fact.ts';

/** Hosts that are named in a warning. */
const SHOWN = 5;

/** For each host, the values of the facts, in the order of the conditions. */
type Values = ReadonlyMap<string, readonly unknown[]>;

/** Throws `KickError` where there are no facts to ask for. */
export async function byFacts(conditions: readonly FactCondition[], options: HostsOfOptions): Promise<Found> {
  const values = await valuesOf(conditions, options);
  const hosts = new Set<string>();
  /** Those of whom a condition cannot be judged, by its place; no other one speaks against them. */
  const incomparable = conditions.map((): [certname: string, value: unknown][] => []);
  for (const [certname, facts] of values) {
    const verdicts = conditions.map((condition, at) => judge(facts[at], condition));
    if (verdicts.every((verdict) => verdict === true)) hosts.add(certname);
    const open = verdicts.indexOf('incomparable');
    if (open >= 0 && !verdicts.includes(false)) incomparable[open]?.push([certname, facts[open]]);
  }
  const { warn } = options.context;
  const why = new Map<string, string>();
  for (const [at, { text }] of conditions.entries()) {
    if (values.size > 0 && [...values.values()].every((facts) => facts[at] === undefined))
      warn(`--fact ${text}: no host has this fact`);
    const told = incomparable[at] ?? [];
    for (const [certname, value] of told)
      why.set(certname, `--fact ${text}: ${shown(value)} cannot be compared`);
    if (told.length > 0) warn(incomparableText(text, told));
  }
  return { hosts, why };
}

function incomparableText(
  text: string,
  told: readonly (readonly [certname: string, value: unknown])[],
): string {
  const names = told.slice(0, SHOWN).map(([certname, value]) => `${certname} (${shown(value)})`);
  const more = told.length > SHOWN ? ` and ${told.length - SHOWN} more` : '';
  return `--fact ${text}: cannot be compared on ${plural(told.length, 'host')}, left out: ${names.join(', ')}${more}`;
}

function shown(value: unknown): string {
  if (value === UNKNOWN_FACT) return 'only a plugin of Bolt knows it';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : clip(JSON.stringify(value) ?? '', 60);
}

async function valuesOf(
  conditions: readonly FactCondition[],
  { from, context }: HostsOfOptions,
): Promise<Values> {
  const { inventory, sources } = context;
  const paths = conditions.map(({ path }) => path);
  const isWanted = from === undefined ? () => true : among(from);
  const found = new Map<string, readonly unknown[]>();
  if (sources.database === undefined) {
    checkHasFacts(inventory);
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
  // A node that has never sent facts has none, as a host of the inventory without facts.
  if (conditions.every((condition) => judge(undefined, condition) === true))
    for (const certname of await sources.database.active())
      if (isWanted(certname) && !found.has(certname)) found.set(certname, []);
  return found;
}

function among(certnames: readonly string[]): (certname: string) => boolean {
  const set = new Set(certnames);
  return (certname) => set.has(certname);
}

function checkHasFacts({ hosts }: Inventory): void {
  for (const { facts } of hosts.values()) if (Object.keys(facts).length > 0) return;
  throw needsPuppetDb('--fact');
}

export function needsPuppetDb(option: string): KickError {
  return new KickError('usage', `${option}: there is no PuppetDB to ask`, {
    hint: 'controller.yaml, puppetdb: {urls: [https://puppetdb.example.com:8081]}',
  });
}
