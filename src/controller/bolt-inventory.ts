/**
 * inventory.yaml in the format of Bolt's inventory version 2 (groups, nested groups, targets, uri,
 * name, alias, facts, vars): a Bolt user's file works as it is. What concerns Bolt alone (config,
 * vars, features) is passed over. Beyond Bolt's, a group may have `nodes`, `command` or `query`, and
 * `concurrency`; and `groups` may be a mapping of such groups by name.
 *
 * Written as a walk, not as a schema: sites have files of 50,000 targets.
 */
import { isCertname, isHostName } from '../protocol/names.ts';
import type { Problem } from '../util/schema.ts';
import { type Address, parseAddress } from './address.ts';
import { ALL, certnameIn, type Group, type GroupSource, type Inventory, MAINTENANCE } from './inventory.ts';

const GROUP_KEYS = ['name', 'targets', 'groups', 'facts', 'vars', 'features', 'config', 'plugin_hooks'];
const OWN_GROUP_KEYS = ['nodes', 'command', 'query', 'concurrency'];
const TARGET_KEYS = ['name', 'uri', 'alias', 'facts', 'vars', 'features', 'config', 'plugin_hooks'];

/** YAML's aliases can make a small file mean more targets than a site has. */
const MAX_TARGETS = 1_000_000;
const MAX_PROBLEMS = 50;

type Mapping = Readonly<Record<string, unknown>>;
type Path = readonly string[];

/** A group while it is read. */
interface Draft {
  name: string;
  place: string;
  hosts: string[];
  children: string[];
  sources: GroupSource[];
  concurrency?: number;
  facts: Mapping;
}

/** A host while it is read. */
interface HostDraft {
  certname: string;
  aliases: readonly string[];
  address?: Address;
  uri?: string;
  facts: Mapping;
}

const NO_FACTS: Mapping = Object.freeze({});
const NO_ALIASES: readonly string[] = Object.freeze([]);

/** The inventory that a document means, and everything that is wrong with it, each with its path. */
export function readBoltInventory(document: unknown): { inventory: Inventory; problems: Problem[] } {
  const reader = createReader();
  reader.read(document ?? {});
  return reader.result();
}

/** Groups by name, as controller.yaml has them: `{dmz: {command: […]}}`. */
export function readGroups(mapping: unknown): { groups: Group[]; problems: Problem[] } {
  const reader = createReader();
  reader.read({ groups: mapping ?? {} });
  const { inventory, problems } = reader.result();
  return { groups: [...inventory.groups.values()].filter(({ name }) => name !== ALL), problems };
}

function createReader() {
  const problems: Problem[] = [];
  const groups = new Map<string, Draft>();
  const hosts = new Map<string, HostDraft>();
  const aliases = new Map<string, string>();
  const leftOut: string[] = [];
  /** Lists with targets that are only a name: it may be an alias that stands further down. */
  const references: { group: Draft; list: readonly unknown[]; path: Path }[] = [];
  let targets = 0;
  let listsTargets = false;

  function problem(path: Path, message: string): void {
    if (problems.length < MAX_PROBLEMS) problems.push({ path: [...path], message });
  }

  // ---------------------------------------------------------------- groups

  function readGroup(value: unknown, path: Path, name: string, inherited: Mapping): Draft | undefined {
    if (!isMapping(value)) {
      problem(path, 'a group is a mapping like {name: web, targets: [web1.example.com]}');
      return undefined;
    }
    const known =
      path.length === 0 ? [...GROUP_KEYS, 'version', 'concurrency'] : [...GROUP_KEYS, ...OWN_GROUP_KEYS];
    refuseUnknownKeys(value, known, path);
    if (groups.has(name)) {
      problem([...path, 'name'], `there is another group "${name}" above`);
      return undefined;
    }
    const facts = mergedFacts(inherited, value['facts'], [...path, 'facts']);
    const draft: Draft = { name, place: path.join('.'), hosts: [], children: [], sources: [], facts };
    groups.set(name, draft);
    const concurrency = value['concurrency'];
    if (Number.isInteger(concurrency) && Number(concurrency) > 0) draft.concurrency = Number(concurrency);
    else if (concurrency !== undefined) problem([...path, 'concurrency'], 'not a whole number above 0');
    readSources(value, path, draft);
    // A list that came out empty means nobody; one of the hosts in maintenance says nothing of the others.
    if ('targets' in value && name !== MAINTENANCE) listsTargets = true;
    readTargets(value['targets'], [...path, 'targets'], draft);
    readGroupsOf(value['groups'], [...path, 'groups'], draft);
    return draft;
  }

  function readGroupsOf(value: unknown, path: Path, parent: Draft): void {
    if (value === undefined || value === null) return;
    const named: [string, unknown, Path][] = [];
    if (Array.isArray(value)) {
      for (const [index, one] of value.entries()) {
        const at = [...path, String(index)];
        const name = isMapping(one) ? one['name'] : undefined;
        if (typeof name === 'string') named.push([name, one, at]);
        else problem(at, 'a group is a mapping with a name');
      }
    } else if (isMapping(value)) {
      for (const [name, one] of Object.entries(value)) named.push([name, one, [...path, name]]);
    } else problem(path, 'neither a list of groups nor a mapping of them');
    for (const [name, one, at] of named) {
      if (!/^[^@,!&^*?[\]:\s\p{C}]{1,200}$/u.test(name)) {
        problem(at, `"${name}" cannot be a group's name: no blanks and none of @ , ! & ^ * ? [ ] :`);
        continue;
      }
      const child = readGroup(one, at, name, parent.facts);
      if (child !== undefined) parent.children.push(name);
    }
  }

  function readSources(value: Mapping, path: Path, draft: Draft): void {
    const { nodes, command, query } = value;
    if (typeof nodes === 'string') draft.sources.push({ nodes });
    else if (nodes !== undefined) {
      problem([...path, 'nodes'], 'not an expression like "web[1-9]"; a list of hosts is called targets');
    }
    if (isArgv(command)) draft.sources.push({ command });
    else if (command !== undefined) {
      problem([...path, 'command'], "not a list of a program's absolute path and its arguments");
    }
    if (typeof query === 'string') draft.sources.push({ query });
    else if (query !== undefined) problem([...path, 'query'], 'not a query (PQL)');
  }

  // ---------------------------------------------------------------- targets

  function readTargets(value: unknown, path: Path, group: Draft): void {
    if (value === undefined || value === null) return;
    if (isMapping(value)) {
      readPlugin(value, path, group);
      return;
    }
    if (!Array.isArray(value)) {
      problem(path, 'not a list of targets');
      return;
    }
    targets += value.length;
    if (targets > MAX_TARGETS) {
      problem(path, `there are more than ${MAX_TARGETS} targets`);
      return;
    }
    references.push({ group, list: value, path });
    for (let index = 0; index < value.length; index++) {
      const one: unknown = value[index];
      if (typeof one === 'string') continue;
      if (isMapping(one) && '_plugin' in one) readPlugin(one, [...path, String(index)], group);
      else if (isMapping(one)) readTarget(one, [...path, String(index)], group);
      else problem([...path, String(index)], 'neither a name nor a mapping like {name: web1.example.com}');
    }
  }

  /** Of Bolt's plugins the one that asks PuppetDB. */
  function readPlugin(value: Mapping, path: Path, group: Draft): void {
    const { _plugin: plugin, query } = value;
    if (plugin === 'puppetdb' && typeof query === 'string') group.sources.push({ query });
    else problem(path, `plugin "${String(plugin)}": only puppetdb with a query is understood here`);
  }

  function readTarget(value: Mapping, path: Path, group: Draft): void {
    refuseUnknownKeys(value, TARGET_KEYS, path);
    const { name, uri } = value;
    const address = uri === undefined ? undefined : addressOf(uri, [...path, 'uri']);
    if (address === 'not-a-host') {
      leftOut.push(String(uri));
      return;
    }
    if (uri !== undefined && address === undefined) return;
    const text = name ?? address?.host;
    if (text === undefined) {
      problem(path, 'a target has a name or a uri');
      return;
    }
    const certname = certnameOf(text, [...path, 'name']);
    if (certname === undefined) return;
    const host = addHost(certname, path, group);
    if (host === undefined) return;
    if (address !== undefined && typeof uri === 'string') {
      if (host.uri !== undefined && host.uri !== uri) {
        problem([...path, 'uri'], `the uri of ${certname} is "${host.uri}" above`);
      } else Object.assign(host, { uri, address });
    }
    host.facts = mergedFacts(host.facts, value['facts'], [...path, 'facts']);
    for (const alias of aliasesOf(value['alias'], [...path, 'alias']))
      addName(alias, host, [...path, 'alias']);
  }

  function addressOf(uri: unknown, path: Path): Address | 'not-a-host' | undefined {
    const address = typeof uri === 'string' ? parseAddress(uri) : undefined;
    if (address === undefined) problem(path, 'not an address: write host, host:port or [address]:port');
    return address;
  }

  function certnameOf(text: unknown, path: Path): string | undefined {
    const certname = typeof text === 'string' ? text.toLowerCase() : '';
    if (isCertname(certname)) return certname;
    problem(path, `"${String(text)}" is not a certname (printable ASCII without "/")`);
    return undefined;
  }

  function aliasesOf(value: unknown, path: Path): string[] {
    if (value === undefined || value === null) return [];
    return [value].flat().flatMap((alias, index) => {
      const found = certnameOf(alias, Array.isArray(value) ? [...path, String(index)] : path);
      return found === undefined ? [] : [found];
    });
  }

  function addHost(certname: string, path: Path, group: Draft): HostDraft | undefined {
    let host = hosts.get(certname);
    if (host === undefined) {
      const holder = aliases.get(certname);
      if (holder !== undefined) {
        problem(path, `"${certname}" is an alias of ${holder} above`);
        return undefined;
      }
      host = { certname, aliases: NO_ALIASES, facts: NO_FACTS };
      hosts.set(certname, host);
    }
    host.facts = mergedFacts(group.facts, host.facts, path);
    group.hosts.push(certname);
    return host;
  }

  function addName(alias: string, host: HostDraft, path: Path): void {
    const holder = certnameIn({ hosts, aliases }, alias);
    if (holder === host.certname) return;
    if (holder !== undefined) {
      problem(path, `"${alias}" is a name of ${holder} above`);
      return;
    }
    aliases.set(alias, host.certname);
    host.aliases = [...host.aliases, alias];
  }

  /** Now that all aliases are known. */
  function readReferences(): void {
    for (const { group, list, path } of references) {
      for (let index = 0; index < list.length; index++) {
        const text = list[index];
        if (typeof text === 'string') readReference(text, index, path, group);
      }
    }
  }

  function readReference(text: string, index: number, list: Path, group: Draft): void {
    const isPlain = isPlainCertname(text);
    const lower = isPlain ? text : text.toLowerCase();
    const known = aliases.get(lower);
    if (known !== undefined || isPlain || isHostName(lower)) {
      addHost(known ?? lower, list, group);
      return;
    }
    const path = [...list, String(index)];
    const address = parseAddress(text);
    if (address === 'not-a-host') leftOut.push(text);
    else if (address === undefined) problem(path, `"${text}" is neither a certname nor an address`);
    else readTarget({ uri: text }, path, group);
  }

  // ---------------------------------------------------------------- helpers

  function refuseUnknownKeys(value: Mapping, known: readonly string[], path: Path): void {
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) problem([...path, key], 'not known here');
    }
  }

  function mergedFacts(base: Mapping, facts: unknown, path: Path): Mapping {
    if (facts === undefined || facts === null || facts === NO_FACTS) return base;
    if (!isMapping(facts)) {
      problem(path, 'not a mapping');
      return base;
    }
    return base === NO_FACTS ? facts : { ...base, ...facts };
  }

  return {
    read(document: unknown): void {
      if (isMapping(document) && ![undefined, 2].includes(document['version'] as number | undefined)) {
        problem(['version'], `only Bolt's version 2 is understood, not "${String(document['version'])}"`);
      }
      const root = isMapping(document) ? { ...document, name: ALL } : document;
      readGroup(root, [], ALL, NO_FACTS);
      readReferences();
    },
    result(): { inventory: Inventory; problems: Problem[] } {
      const all = [...groups.values()].map(({ facts: _facts, ...group }): [string, Group] => [
        group.name,
        group,
      ]);
      return {
        inventory: {
          ...{ hosts, aliases, groups: new Map(all), leftOut },
          listsTargets: listsTargets || hosts.size > 0,
        },
        problems,
      };
    },
  };
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Nearly all certnames, in a fraction of the time of `isHostName`: letters and digits, single dots and dashes between them. */
function isPlainCertname(text: string): boolean {
  let isWithin = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charCodeAt(at);
    const isAlphanumeric = (char >= 0x61 && char <= 0x7a) || (char >= 0x30 && char <= 0x39);
    if (!isAlphanumeric && !(isWithin && (char === 0x2d || char === 0x2e))) return false;
    isWithin = isAlphanumeric;
  }
  return isWithin && text.length <= 253;
}

function isArgv(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((word) => typeof word === 'string') &&
    String(value[0]).startsWith('/')
  );
}
