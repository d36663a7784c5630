/**
 * inventory.yaml in the format of Bolt's inventory version 2 (groups, nested groups, targets, uri,
 * name, alias, facts, config): a Bolt user's file works as it is. What only concerns Bolt (vars, features,
 * most of config) is ignored, whatever it holds; what Bolt only warns of is a warning here as well.
 * In addition, a group may have `nodes`, `command` or `query`, `concurrency` and `via`, a target `via`; and `groups` may be a
 * mapping of such groups by name.
 *
 * A hand-written walk rather than a schema: sites have files of 50,000 targets.
 */
import type { Problem } from '../../../util/schema.ts';
import { ALL, type Group, type Inventory } from '../inventory.ts';
import { type GroupDraft, leaveOut, type Reading } from './draft.ts';
import { createFindings, type Path, type Warning } from './findings.ts';
import { readRoot } from './groups.ts';
import { collectGroups, collectTargets, deepMerge, NO_DATA } from './merge.ts';
import { OWN_SCHEME, reachOf, TRANSPORTS } from './reach.ts';
import { readReferences } from './references.ts';

/** Findings with their paths: problems, which refuse the inventory, and warnings. */
export interface Found {
  problems: Problem[];
  warnings: Warning[];
}

/** Reads a document. Warnings are returned separately, since they have no line numbers yet. */
export function readBoltInventory(document: unknown): Found & { inventory: Inventory } {
  const { reading, root } = read(document ?? {});
  if (root !== undefined) decideReach(reading, root);
  const { hosts, aliases, groups, leftOut, findings } = reading;
  return {
    inventory: {
      hosts,
      aliases,
      leftOut,
      groups: new Map([...groups].map(finished)),
      ...(root?.data.via !== undefined && { via: root.data.via }),
      listsTargets: reading.listsTargets || hosts.size > 0,
      warnings: [],
    },
    problems: findings.problems(),
    warnings: findings.warnings(),
  };
}

/** Reads groups by name, as in controller.yaml: `{dmz: {command: […]}}`. Only the names of targets count. */
export function readGroups(mapping: unknown): Found & { groups: Group[] } {
  const { reading } = read({ groups: mapping ?? {} });
  const { groups, findings } = reading;
  for (const { path, data, own } of groups.values()) {
    if (data === NO_DATA && [...own.values()].every((one) => one === NO_DATA)) continue;
    findings.warn(path, 'facts, config, uri and via are only read from inventory.yaml: ignored');
  }
  const named = [...groups].filter(([name]) => name !== ALL);
  return {
    groups: named.map((one) => finished(one)[1]),
    problems: findings.problems(),
    warnings: findings.warnings(),
  };
}

function read(document: unknown): { reading: Reading; root: GroupDraft | undefined } {
  const reading: Reading = {
    findings: createFindings(),
    groups: new Map(),
    hosts: new Map(),
    aliases: new Map(),
    aliasTexts: new Map(),
    boltAliases: new Map(),
    passedOver: new Set(),
    defined: new Map(),
    lists: [],
    leftOut: [],
    targets: 0,
    listsTargets: false,
  };
  const root = readRoot(reading, document);
  readReferences(reading);
  return { reading, root };
}

function finished([name, draft]: [string, GroupDraft]): [string, Group] {
  const { path, hosts, children, sources, concurrency, data } = draft;
  const group: Group = {
    name,
    place: path.join('.'),
    hosts,
    sources,
    children: children.map((child) => child.name),
    ...(concurrency !== undefined && { concurrency }),
    ...(data.via !== undefined && path.length > 0 && { via: data.via }),
  };
  return [name, group];
}

/** Merges facts and address into each host; drops those without an agent. */
function decideReach(reading: Reading, root: GroupDraft): void {
  const { hosts } = reading;
  // The whole inventory's `via` is the last resort: behind that of groups that name a host by their sources.
  const groups = collectGroups({ ...root, data: { ...root.data, via: undefined } });
  const targets = collectTargets(root);
  const defined = new Set(reading.defined.values());
  const gone = new Set<string>();
  for (const host of hosts.values()) {
    const inherited = groups.get(host.certname);
    const own = targets.get(host.certname);
    const isLocalhost = host.isLocalhost === true;
    if (inherited === undefined && own === undefined && !isLocalhost) continue;
    host.facts = deepMerge((inherited ?? NO_DATA).facts, (own ?? NO_DATA).facts);
    const { address, otherPort, withoutAgent } = reachOf({
      uri: own?.uri,
      isDefined: defined.has(host.certname),
      isLocalhost,
      target: own?.config,
      groups: inherited?.config,
    });
    if (address !== undefined) host.address = address;
    if (otherPort !== undefined) host.otherPort = otherPort;
    const via = own?.via ?? inherited?.via;
    if (via !== undefined) host.via = via;
    if (withoutAgent !== undefined) {
      gone.add(host.certname);
      leaveOut(reading, { name: host.certname, transport: withoutAgent, path: host.place });
    } else warnOfScheme(reading, { scheme: own?.uri?.scheme, path: host.place });
  }
  if (gone.size > 0) forget(reading, gone);
}

/** Bolt refuses such a uri when the target is used. */
function warnOfScheme(
  { findings }: Reading,
  { scheme, path }: { scheme: string | undefined; path: Path },
): void {
  if (scheme === undefined || scheme === OWN_SCHEME || TRANSPORTS.includes(scheme)) return;
  const what = `"${scheme}" is neither kick nor a transport of Bolt's: only the host of such a uri counts`;
  findings.warn(path, what);
}

function forget({ hosts, aliases, groups }: Reading, gone: ReadonlySet<string>): void {
  for (const certname of gone) hosts.delete(certname);
  for (const [alias, certname] of aliases) if (gone.has(certname)) aliases.delete(alias);
  for (const group of groups.values()) group.hosts = group.hosts.filter((one) => !gone.has(one));
}
