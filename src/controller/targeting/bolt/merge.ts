/**
 * How Bolt merges what an inventory says of a target (lib/bolt/inventory/group.rb: data_merge,
 * target_collect, group_collect). Its vars and features decide nothing here and are not read.
 */
import type { Uri } from '../address.ts';
import type { BoltConfig } from './reach.ts';

export type Mapping = Readonly<Record<string, unknown>>;

/** What a group or a target says. */
export interface Data {
  readonly facts: Mapping;
  /** Absent: it has none. */
  readonly config?: BoltConfig | undefined;
}

export interface TargetData extends Data {
  readonly uri?: Uri | undefined;
}

/** What of a group the merge needs. */
export interface Node {
  /** By certname; one may stand there twice. */
  readonly hosts: readonly string[];
  /** What the group's own list says of targets, by certname. */
  readonly own: ReadonlyMap<string, TargetData>;
  readonly children: readonly Node[];
  readonly data: Data;
}

export const NO_FACTS: Mapping = Object.freeze({});
export const NO_DATA: Data = Object.freeze({ facts: NO_FACTS });

export function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What all groups of a target say of it. Only targets of which any group says something. */
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

/** What the definitions of a target say of it. */
export function collectTargets(group: Node): Map<string, TargetData> {
  const all = collectChildren(group, collectTargets, mergeTargets);
  for (const [certname, own] of group.own) {
    const below = all.get(certname);
    all.set(certname, below === undefined ? own : mergeTargets(own, below));
  }
  return all;
}

/** Of two groups within one the earlier wins. */
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
  return { facts: deepMerge(under.facts, over.facts), config: mergeConfig(under.config, over.config) };
}

/** The uri is the exception: that of `under` wins. */
function mergeTargets(under: TargetData, over: TargetData): TargetData {
  return { ...mergeData(under, over), uri: under.uri ?? over.uri };
}

export function mergeConfig(
  under: BoltConfig | undefined,
  over: BoltConfig | undefined,
): BoltConfig | undefined {
  if (under === undefined || over === undefined) return over ?? under;
  return { transport: over.transport ?? under.transport, hosts: { ...under.hosts, ...over.hosts } };
}

/** Mappings that were merged, by both: YAML's aliases can make small ones mean large ones, and endless ones. */
type Merged = Map<Mapping, Map<Mapping, Mapping>>;

/** Where that begins to be noted: facts are seldom so deep, and there are many of them. */
const NOTED_DEPTH = 4;

/** Bolt::Util.deep_merge: mappings are merged, of anything else `over` wins. */
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

/** Assigned, a key "__proto__" would be something else. */
export function setOwn(mapping: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') mapping[key] = value;
  else Object.defineProperty(mapping, key, { value, enumerable: true, configurable: true, writable: true });
}
