/** The hosts and groups that a site has written down. How they are written: bolt-inventory.ts. */
import type { Address } from './address.ts';

export interface InventoryHost {
  readonly certname: string;
  readonly aliases: readonly string[];
  readonly address?: Address;
  /** Whose the port of its uri is where it is not ours: `that of 10.0.0.7:22 is ssh's`. */
  readonly otherPort?: string;
  /** Of the host, and of the groups that it is in: bolt-merge.ts. */
  readonly facts: Readonly<Record<string, unknown>>;
}

/** Where a group's further members come from, asked when the group is needed. */
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
  /** Certnames of the targets that it lists itself; one may stand there twice. */
  readonly hosts: readonly string[];
  /** Groups within it. */
  readonly children: readonly string[];
  readonly sources: readonly GroupSource[];
  /** Runs at once within it. */
  readonly concurrency?: number;
}

export interface Inventory {
  /** By certname. */
  readonly hosts: ReadonlyMap<string, InventoryHost>;
  /** The certname of each alias; none is also a certname. */
  readonly aliases: ReadonlyMap<string, string>;
  readonly groups: ReadonlyMap<string, Group>;
  /** Whether it lists targets at all: an empty list means nobody, no list means that others know. */
  readonly listsTargets: boolean;
  /** Targets that are no machine with an agent (`docker://web`), as written. */
  readonly leftOut: readonly string[];
  /** What was not understood, or is passed over; the rest holds. */
  readonly warnings: readonly InventoryWarning[];
}

export interface InventoryWarning {
  /** With the file, the line and the path. */
  text: string;
  /** Whether hosts may be missing for it. */
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

/** The inventory with more groups. A name that is in both stays as it was; those names are given. */
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

/** The certname of a host's name or alias. */
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
