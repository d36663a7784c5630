/**
 * Merges what an inventory says about a target as Bolt does (lib/bolt/inventory/group.rb: data_merge,
 * target_collect, group_collect). Vars and features are irrelevant here and not read.
 */
import type { Way } from '../../../protocol/names.ts';
import type { Uri } from '../address.ts';
import type { BoltConfig } from './reach.ts';

export type Mapping = Readonly<Record<string, unknown>>;

/** The data of a group or a target. */
export interface Data {
  readonly facts: Mapping;
  /** Absent if it has none. */
  readonly config?: BoltConfig | undefined;
  /** How agents are reached: a key of kick's. */
  readonly via?: Way | undefined;
}

export interface TargetData extends Data {
  readonly uri?: Uri | undefined;
}

/** What the merge needs of a group. */
export interface Node {
  /** Certnames, possibly with duplicates. */
  readonly hosts: readonly string[];
  /** Data from the group's own list of targets, by certname. */
  readonly own: ReadonlyMap<string, TargetData>;
  readonly children: readonly Node[];
  readonly data: Data;
}

export const NO_FACTS: Mapping = Object.freeze({});
export const NO_DATA: Data = Object.freeze({ facts: NO_FACTS });

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Merges the data of all groups of each target. Contains only targets for which there is any. */
export function collectGroups(group: Node): Map<string, Data> {
  const all = collectChildren(group, collectGroups, mergeData);
  if (group.data === NO_DATA) return all;
  // Many targets have the same groups: their data is merged once.
  const merged = new Map<Data, Data>();
  for (const certname of membersOf(group)) {
    const below = all.get(certname) ?? NO_DATA;
    const data = merged.get(below) ?? mergeData(group.data, below);
    merged.set(below, data);
    all.set(certname, data);
  }
  return all;
}

/** Merges the definitions of each target. */
export function collectTargets(group: Node): Map<string, TargetData> {
  const all = collectChildren(group, collectTargets, mergeTargets);
  for (const [certname, own] of group.own) {
    const below = all.get(certname);
    all.set(certname, below === undefined ? own : mergeTargets(own, below));
  }
  return all;
}

/** Of two child groups, the earlier wins. */
function collectChildren<T>(
  { children }: Node,
  collect: (group: Node) => Map<string, T>,
  merge: (under: T, over: T) => T,
): Map<string, T> {
  const [first, ...more] = children;
  if (first === undefined) return new Map();
  const all = collect(first);
  for (const child of more) {
    for (const [certname, data] of collect(child)) {
      const earlier = all.get(certname);
      all.set(certname, earlier === undefined ? data : merge(data, earlier));
    }
  }
  return all;
}

function membersOf(group: Node): Set<string> {
  const members = new Set(group.hosts);
  for (const child of group.children) for (const certname of membersOf(child)) members.add(certname);
  return members;
}

function mergeData(under: Data, over: Data): Data {
  if (under === NO_DATA) return over;
  if (over === NO_DATA) return under;
  return {
    facts: deepMerge(under.facts, over.facts),
    config: mergeConfig(under.config, over.config),
    via: over.via ?? under.via,
  };
}

/** The uri is the exception: `under` wins. */
function mergeTargets(under: TargetData, over: TargetData): TargetData {
  return { ...mergeData(under, over), uri: under.uri ?? over.uri };
}

function mergeConfig(under: BoltConfig | undefined, over: BoltConfig | undefined): BoltConfig | undefined {
  if (under === undefined || over === undefined) return over ?? under;
  return { transport: over.transport ?? under.transport, hosts: { ...under.hosts, ...over.hosts } };
}

/** Mappings merged so far, by both inputs: with YAML aliases, small mappings can expand to huge or endless ones. */
type Merged = Map<Mapping, Map<Mapping, Mapping>>;

/** The depth from which merges are remembered: facts are many, but seldom so deep. */
const NOTED_DEPTH = 4;

/** Bolt::Util.deep_merge: mappings are merged; for anything else `over` wins. */
export function deepMerge(
  under: Mapping,
  over: Mapping,
  { depth, merged }: { depth: number; merged?: Merged | undefined } = TOP,
): Mapping {
  if (under === over || under === NO_FACTS) return over;
  if (over === NO_FACTS) return under;
  const before = merged?.get(under)?.get(over);
  if (before !== undefined) return before;
  const result: Record<string, unknown> = { ...under };
  const noted: Merged | undefined = depth < NOTED_DEPTH ? undefined : (merged ?? new Map());
  noted?.set(under, (noted.get(under) ?? new Map()).set(over, result));
  for (const key of Object.keys(over)) {
    const value = over[key];
    const below = Object.hasOwn(result, key) ? result[key] : undefined;
    const isDeeper = isMapping(below) && isMapping(value);
    setOwn(result, key, isDeeper ? deepMerge(below, value, { depth: depth + 1, merged: noted }) : value);
  }
  return result;
}

const TOP = { depth: 0 };

/** Plain assignment to "__proto__" would set the prototype. */
export function setOwn(mapping: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') mapping[key] = value;
  else Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true });
}
