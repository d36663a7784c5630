/** The hosts and groups that a site has listed. The format is read by bolt/reader.ts. */
import type { Way } from '../../protocol/names.ts';
import type { Address } from './address.ts';

export interface InventoryHost {
  readonly certname: string;
  readonly aliases: readonly string[];
  readonly address?: Address;
  /** Whose port its uri has, if not kick's: `that of 10.0.0.7:22 is ssh's`. */
  readonly otherPort?: string;
  /** How its agent is reached, if that is said for it or one of its groups. */
  readonly via?: Way;
  /** Its own facts merged with those of its groups: bolt/merge.ts. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Where further members of a group come from, asked when the group is needed. */
export type GroupSource =
  /** An expression in the language of hosts; it may name other groups. */
  | { readonly nodes: string }
  /** A program that prints names: argv. */
  | { readonly command: readonly string[] }
  /** PQL. */
  | { readonly query: string };

export interface Group {
  readonly name: string;
  /** Where it is defined, for messages: `groups.0`. */
  readonly place: string;
  /** Certnames of the targets that it lists itself, possibly with duplicates. */
  readonly hosts: readonly string[];
  /** Groups inside it. */
  readonly children: readonly string[];
  readonly sources: readonly GroupSource[];
  /** Maximum number of its hosts that run at once. */
  readonly concurrency?: number;
  /** How members are reached that its sources name; those that it lists have it themselves. */
  readonly via?: Way;
}

export interface Inventory {
  /** By certname. */
  readonly hosts: ReadonlyMap<string, InventoryHost>;
  /** Certnames by alias; no alias is also a certname. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly groups: ReadonlyMap<string, Group>;
  /** Whether it lists targets at all: an empty list means no hosts, no list means that other sources are asked. */
  readonly listsTargets: boolean;
  /** How agents are reached for which nothing else is said. */
  readonly via?: Way;
  /** Targets that are not machines with an agent (`docker://web`), as written. */
  readonly leftOut: readonly string[];
  /** What was not understood or is ignored; the rest is valid. */
  readonly warnings: readonly InventoryWarning[];
}

export interface InventoryWarning {
  /** With the file, the line and the path. */
  text: string;
  /** Whether hosts may be missing because of it. */
  isLoss: boolean;
}

/** The group that every target is in (Bolt's name for it). */
export const ALL = 'all';

/** The group whose hosts are left out of every job. */
export const MAINTENANCE = 'maintenance';

export const EMPTY_INVENTORY: Inventory = {
  hosts: new Map(),
  aliases: new Map(),
  groups: new Map(),
  listsTargets: false,
  leftOut: [],
  warnings: [],
};

/** Adds groups. A group whose name exists already is not added; those names are returned. */
export function withGroups(
  inventory: Inventory,
  more: readonly Group[],
): { inventory: Inventory; inBoth: string[] } {
  const groups = new Map(inventory.groups);
  const inBoth: string[] = [];
  for (const group of more) {
    if (groups.has(group.name)) inBoth.push(group.name);
    else groups.set(group.name, group);
  }
  return { inventory: { ...inventory, groups }, inBoth };
}

/** Resolves a host's certname or alias. */
export function certnameIn({ hosts, aliases }: Pick<Inventory, 'hosts' | 'aliases'>, name: string) {
  return hosts.get(name)?.certname ?? aliases.get(name);
}

/** Whether the inventory knows a name, an alias, or a name without its domain. */
export function isInInventory(name: string, inventory: Inventory): boolean {
  const { hosts } = inventory;
  if (certnameIn(inventory, name) !== undefined) return true;
  const start = `${name}.`;
  for (const certname of hosts.keys()) if (certname.startsWith(start)) return true;
  return false;
}
