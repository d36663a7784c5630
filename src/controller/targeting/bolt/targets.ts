/** The targets of a group: lib/bolt/inventory/group.rb, add_target_definition. */
import type { Uri } from '../address.ts';
import { readAliases } from './aliases.ts';
import { readData } from './data.ts';
import {
  type Entry,
  type GroupDraft,
  type HostDraft,
  isPlugin,
  pluginText,
  type Reading,
  skip,
  warnOfUnknownKeys,
} from './draft.ts';
import type { Path } from './findings.ts';
import { identityOf } from './identity.ts';
import { isMapping, type Mapping, NO_FACTS } from './merge.ts';

const TARGET_KEYS = ['name', 'uri', 'alias', 'facts', 'vars', 'features', 'config', 'plugin_hooks', 'via'];

/** With YAML aliases a small file can mean more targets than any site has. */
const MAX_TARGETS = 1_000_000;

const NO_ALIASES: readonly string[] = Object.freeze([]);

/** Reads `targets` of a group. Plain text may refer to other targets and is left to references.ts. */
export function readTargets(reading: Reading, { value, path, group }: Entry & { group: GroupDraft }): void {
  const { findings } = reading;
  if (value === undefined || value === null) return;
  if (isPlugin(value)) {
    readPlugin(reading, { value, path, group });
    return;
  }
  const list = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(list)) {
    findings.problem(path, 'not a list of targets');
    return;
  }
  reading.targets += list.length;
  if (reading.targets > MAX_TARGETS) {
    findings.problem(path, `there are more than ${MAX_TARGETS} targets`);
    return;
  }
  reading.lists.push({ group, list, path });
  for (let index = 0; index < list.length; index++) {
    const one: unknown = list[index];
    if (typeof one === 'string') continue;
    const at = [...path, String(index)];
    if (isPlugin(one)) readPlugin(reading, { value: one, path: at, group });
    else if (isMapping(one)) readTarget(reading, { value: one, path: at, group });
    else findings.problem(at, 'neither a name (as text) nor a mapping like {name: web1.example.com}');
  }
}

interface MappingEntry {
  value: Mapping;
  path: Path;
  group: GroupDraft;
}

/** Of Bolt's plugins only `puppetdb` is supported, for the PuppetDB that kick uses. */
function readPlugin(reading: Reading, { value, path, group }: MappingEntry): void {
  const { _plugin: plugin, query, instance, target_mapping: mapping } = value;
  if (plugin !== 'puppetdb') {
    skip(reading, { path, why: `targets from ${pluginText(value)}` });
  } else if (typeof query !== 'string') {
    skip(reading, { path, why: 'targets from a PuppetDB query that is not text' });
  } else if (instance !== undefined && instance !== null) {
    skip(reading, { path, why: 'targets from another instance of PuppetDB' });
  } else {
    group.sources.push({ query });
    const { name = 'certname', uri = 'certname', alias } = isMapping(mapping) ? mapping : {};
    if (name === 'certname' && uri === 'certname' && alias === undefined) return;
    const how = 'address_from in controller.yaml names the fact that is their address';
    reading.findings.warn(
      [...path, 'target_mapping'],
      `ignored, hosts from PuppetDB go by their certnames: ${how}`,
    );
  }
}

function readTarget(reading: Reading, { value, path, group }: MappingEntry): void {
  const { findings } = reading;
  const identity = identityOf(reading, { value, path, group });
  if (identity === undefined) {
    for (const one of [value['name'] ?? value['uri'], value['alias']].flat())
      if (typeof one === 'string') reading.passedOver.add(one);
    return;
  }
  const { certname, boltName, uri } = identity;
  if (group.own.has(certname)) {
    const what = 'listed twice here: as in Bolt, the first entry holds';
    findings.warn(path, what, { subject: certname });
    return;
  }
  warnOfUnknownKeys(reading, { value, path, known: TARGET_KEYS, what: 'a target' });
  const host = addHost(reading, { certname, boltName, path, group });
  if (host === undefined) return;
  reading.defined.set(boltName, certname);
  const data = readData(reading, { value, path });
  group.own.set(certname, uri === undefined ? data : { ...data, uri });
  if (uri !== undefined) noteUri(reading, { host, uri, path: [...path, 'uri'] });
  readAliases(reading, { value: value['alias'], path: [...path, 'alias'], host });
}

export interface Naming {
  certname: string;
  boltName: string;
  path: Path;
  group: GroupDraft;
}

/** Adds the host of a certname to the group. Undefined, with a finding, if the name is an alias of another host. */
export function addHost(
  reading: Reading,
  { certname, boltName, path, group }: Naming,
): HostDraft | undefined {
  const { hosts, aliases, aliasTexts, findings } = reading;
  let host = hosts.get(certname);
  if (host === undefined) {
    const holder = aliases.get(certname);
    if (holder !== undefined) {
      const why = `"${certname}" is an alias of ${holder} above`;
      // To Bolt it is not the alias if it is written differently (WEB, ssh://web).
      if (aliasTexts.get(certname) === boltName) findings.problem(path, why);
      else skip(reading, { path, why });
      return undefined;
    }
    host = { certname, aliases: NO_ALIASES, facts: NO_FACTS, place: path };
    hosts.set(certname, host);
  }
  if (boltName === 'localhost') host.isLocalhost = true;
  group.hosts.push(certname);
  return host;
}

/** Warns of a second uri: Bolt's rule silently picks one. */
function noteUri(
  { findings }: Reading,
  { host, uri, path }: { host: HostDraft; uri: Uri; path: Path },
): void {
  if (host.uri !== undefined && host.uri.host !== uri.host) {
    const what = 'another group gives this target another uri: "kick nodes --explain" shows which holds';
    findings.warn(path, what, { subject: host.certname });
  }
  host.uri = uri;
}
