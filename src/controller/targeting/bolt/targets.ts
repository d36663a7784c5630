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

const TARGET_KEYS = ['name', 'uri', 'alias', 'facts', 'vars', 'features', 'config', 'plugin_hooks'];

/** YAML's aliases can make a small file mean more targets than a site has. */
const MAX_TARGETS = 1_000_000;

const NO_ALIASES: readonly string[] = Object.freeze([]);

/** `targets` of a group. Those that are only text may name others: bolt-references.ts reads them. */
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

/** Of Bolt's plugins the one that asks PuppetDB, where it is the PuppetDB that we ask. */
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
  if (identity === undefined) return;
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

/** The host of a certname, now in the group; undefined where the name is another host's, which is told. */
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
      // To Bolt it is none where it is written otherwise (WEB, ssh://web).
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

/** Of two uris Bolt's rule takes one without a word. */
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
