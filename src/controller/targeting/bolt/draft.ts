/** An inventory while it is read. */

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
  /** Where it is first named. */
  place: Path;
  /** Whether it is what Bolt calls the machine on which it runs. */
  isLocalhost?: boolean;
  uri?: Uri;
}

/** A list of targets, of which those that are only text are read when all the others are known. */
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
  /** Each alias as it is written: to Bolt capitals make another one. */
  aliasTexts: Map<string, string>;
  /** The certname of each target that a mapping defines, by the name that Bolt knows it by. */
  defined: Map<string, string>;
  lists: TargetList[];
  /** Targets of Bolt's that are no machine with an agent. */
  leftOut: string[];
  targets: number;
  /** Whether it lists any, also such as are skipped. */
  listsTargets: boolean;
}

/** A value and where it stands. */
export interface Entry {
  value: unknown;
  path: Path;
}

/** `{_plugin: …}`: what Bolt has a plugin fill in. */
export function isPlugin(value: unknown): value is Mapping {
  return isMapping(value) && Object.hasOwn(value, '_plugin');
}

/** `the plugin "vault", which kick does not know`, for messages. */
export function pluginText(value: Mapping): string {
  const { _plugin: plugin } = value;
  const name = typeof plugin === 'string' ? ` ${JSON.stringify(clip(plugin, 80))}` : '';
  return `the plugin${name}, which kick does not know`;
}

/** What Bolt warns of, so do we. */
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

/** Notes a target that is no machine with an agent. */
export function leaveOut(
  { leftOut, findings }: Reading,
  { name, transport, path }: { name: string; transport: string; path: Path },
): void {
  leftOut.push(name);
  const why = `not a host with an agent (Bolt's transport "${transport}"): left out unless named`;
  findings.warn(path, why, { subject: name });
}

/** Notes a target, or several, that nobody can tell from the file. */
export function skip(
  reading: Reading,
  { path, why, subject }: { path: Path; why: string; subject?: string },
): void {
  reading.listsTargets = true;
  reading.findings.warn(path, `${why}: skipped`, { isLoss: true, ...(subject !== undefined && { subject }) });
}
