/** An inventory while it is being read. */
import type { Way } from '../../../protocol/names.ts';
import { clip } from '../../../util/text.ts';
import type { Address, Uri } from '../address.ts';
import type { GroupSource, InventoryHost } from '../inventory.ts';
import type { Findings, Path } from './findings.ts';
import { type Data, isMapping, type Mapping, type Node, type TargetData } from './merge.ts';

export interface GroupDraft extends Node {
  name: string;
  path: Path;
  hosts: string[];
  own: Map<string, TargetData>;
  children: GroupDraft[];
  sources: GroupSource[];
  concurrency?: number;
  data: Data;
}

export interface HostDraft extends InventoryHost {
  aliases: readonly string[];
  facts: Mapping;
  address?: Address;
  otherPort?: string;
  via?: Way;
  /** Where it was first named. */
  place: Path;
  /** Whether it has Bolt's name for the machine that Bolt runs on. */
  isLocalhost?: boolean;
  uri?: Uri;
}

/** A list of targets. Plain names in it are resolved once all definitions are known. */
export interface TargetList {
  group: GroupDraft;
  list: readonly unknown[];
  path: Path;
}

export interface Reading {
  findings: Findings;
  groups: Map<string, GroupDraft>;
  hosts: Map<string, HostDraft>;
  aliases: Map<string, string>;
  /** Each alias as written: Bolt distinguishes upper and lower case. */
  aliasTexts: Map<string, string>;
  /** Certnames by alias as written, including aliases that cannot be typed. */
  boltAliases: Map<string, string>;
  /** Bolt's names and aliases of skipped targets: as plain text they must not name another host. */
  passedOver: Set<string>;
  /** Certnames of targets defined by a mapping, by Bolt's name for them. */
  defined: Map<string, string>;
  lists: TargetList[];
  /** Targets of Bolt's that are not machines with an agent. */
  leftOut: string[];
  targets: number;
  /** Whether it lists any targets, including skipped ones. */
  listsTargets: boolean;
}

/** A value and where it is. */
export interface Entry {
  value: unknown;
  path: Path;
}

/** `{_plugin: …}`: filled in by a plugin in Bolt. */
export function isPlugin(value: unknown): value is Mapping {
  return isMapping(value) && Object.hasOwn(value, '_plugin');
}

/** `the plugin "vault", which kick does not know`, for messages. */
export function pluginText(value: Mapping): string {
  const { _plugin: plugin } = value;
  const name = typeof plugin === 'string' ? ` ${JSON.stringify(clip(plugin, 80))}` : '';
  return `the plugin${name}, which kick does not know`;
}

/** Warns of unknown keys, as Bolt does. */
export function warnOfUnknownKeys(
  reading: Reading,
  { value, path, known, what }: { value: Mapping; path: Path; known: readonly string[]; what: string },
): void {
  for (const key of Object.keys(value)) {
    if (!known.includes(key))
      reading.findings.warn(
        [...path, key],
        `${JSON.stringify(clip(key, 80))} is no key of ${what}: ignored, as in Bolt`,
      );
  }
}

/** Records a target that is not a machine with an agent. */
export function leaveOut(
  { leftOut, findings }: Reading,
  { name, transport, path }: { name: string; transport: string; path: Path },
): void {
  leftOut.push(name);
  const why = `not a host with an agent (Bolt's transport "${transport}"): left out unless named`;
  findings.warn(path, why, { subject: name });
}

/** Records one or more targets that the file alone does not reveal. */
export function skip(
  reading: Reading,
  { path, why, subject }: { path: Path; why: string; subject?: string },
): void {
  reading.listsTargets = true;
  reading.findings.warn(path, `${why}: skipped`, { isLoss: true, ...(subject !== undefined && { subject }) });
}
