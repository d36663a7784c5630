/** The groups of an inventory: lib/bolt/inventory/group.rb, plus the keys that kick adds. */
import { clip } from '../../../util/text.ts';
import { ALL, MAINTENANCE } from '../inventory.ts';
import { readData } from './data.ts';
import {
  type Entry,
  type GroupDraft,
  isPlugin,
  pluginText,
  type Reading,
  skip,
  warnOfUnknownKeys,
} from './draft.ts';
import type { Path } from './findings.ts';
import { isMapping, type Mapping } from './merge.ts';
import { readTargets } from './targets.ts';

const GROUP_KEYS = ['name', 'targets', 'groups', 'facts', 'vars', 'features', 'config', 'plugin_hooks'];
const ROOT_KEYS = [...GROUP_KEYS, 'version', 'concurrency', 'via'];
const OWN_GROUP_KEYS = [...GROUP_KEYS, 'nodes', 'command', 'query', 'concurrency', 'via'];

const VERSION_1 = 'a key of Bolt\'s inventory version 1: "bolt project migrate" makes version 2 of it';

/** Reads the whole inventory, which to Bolt is the group "all". Undefined, with a finding, if it is not a group. */
export function readRoot(reading: Reading, document: unknown): GroupDraft | undefined {
  const { findings } = reading;
  if (!isMapping(document)) {
    findings.problem([], 'an inventory is a mapping like {targets: [web1.example.com]}');
    return undefined;
  }
  const { version = 2, name = ALL, nodes } = document;
  if (version !== 2 && version !== '2') {
    findings.problem(
      ['version'],
      `only Bolt's version 2 is understood, not ${clip(JSON.stringify(version) ?? '', 80)}`,
    );
  }
  if (nodes !== undefined) findings.problem(['nodes'], VERSION_1);
  if (name !== ALL) findings.warn(['name'], `the whole inventory is called "${ALL}", as in Bolt: ignored`);
  if (isPlugin(document)) {
    skip(reading, {
      path: ['_plugin'],
      why: `the whole inventory is from ${pluginText(document)}`,
    });
    return undefined;
  }
  return readGroup(reading, { value: document, path: [], name: ALL });
}

interface GroupEntry {
  value: Mapping;
  path: Path;
  name: string;
}

function readGroup(reading: Reading, { value, path, name }: GroupEntry): GroupDraft {
  const { findings } = reading;
  const isRoot = path.length === 0;
  if (value['target-lookups'] !== undefined) {
    findings.problem([...path, 'target-lookups'], 'no longer a key in Bolt: list {_plugin: …} in targets');
  }
  const known = [...(isRoot ? ROOT_KEYS : OWN_GROUP_KEYS), 'nodes', 'target-lookups'];
  warnOfUnknownKeys(reading, { value, path, known, what: isRoot ? 'an inventory' : 'a group' });
  const data = readData(reading, { value, path });
  const empty = { hosts: [], own: new Map(), children: [], sources: [] };
  const group: GroupDraft = { name, path, ...empty, data };
  reading.groups.set(name, group);
  const concurrency = value['concurrency'];
  if (Number.isInteger(concurrency) && Number(concurrency) > 0) group.concurrency = Number(concurrency);
  else if (concurrency !== undefined)
    findings.problem([...path, 'concurrency'], 'not a whole number above 0');
  if (!isRoot) readSources(reading, { value, path, group });
  // An empty list means no hosts; but a list of hosts in maintenance says nothing about the others.
  if (value['targets'] !== undefined && name !== MAINTENANCE) reading.listsTargets = true;
  readTargets(reading, { value: value['targets'], path: [...path, 'targets'], group });
  readGroups(reading, { value: value['groups'], path: [...path, 'groups'], parent: group });
  return group;
}

function readGroups(reading: Reading, { value, path, parent }: Entry & { parent: GroupDraft }): void {
  if (value === undefined || value === null) return;
  if (isPlugin(value)) {
    skip(reading, { path, why: `groups from ${pluginText(value)}` });
  } else if (Array.isArray(value)) {
    for (const [index, one] of value.entries()) {
      readChild(reading, { value: one, path: [...path, String(index)], parent });
    }
  } else if (isMapping(value)) {
    for (const [name, one] of Object.entries(value)) {
      // As in a list, except that the name is the key.
      const named = isMapping(one) && !isPlugin(one) ? Object.assign({}, one, { name }) : one;
      readChild(reading, { value: named, path: [...path, name], parent });
    }
  } else reading.findings.problem(path, 'neither a list of groups nor a mapping of them');
}

function readChild(reading: Reading, { value, path, parent }: Entry & { parent: GroupDraft }): void {
  const { findings, groups } = reading;
  const name = isMapping(value) ? value['name'] : undefined;
  if (isPlugin(value) || isPlugin(name)) {
    const plugin = isPlugin(value) ? value : isPlugin(name) ? name : {};
    skip(reading, { path, why: `a group from ${pluginText(plugin)}` });
    return;
  }
  if (!isMapping(value) || typeof name !== 'string') {
    findings.problem(
      path,
      'a group is a mapping like {name: web, targets: [web1.example.com]}, its name text',
    );
    return;
  }
  if (!isGroupName(reading, { name, path })) return;
  if (groups.has(name)) findings.problem([...path, 'name'], `there is another group "${name}" above`);
  else parent.children.push(readGroup(reading, { value, path, name }));
}

/** Refuses names that Bolt refuses, and warns of those that cannot be typed. */
function isGroupName({ findings }: Reading, { name, path }: { name: string; path: Path }): boolean {
  const at = [...path, 'name'];
  if (name === ALL) {
    findings.problem(at, `"${ALL}" is the whole inventory, in Bolt too: choose another name`);
    return false;
  }
  // Bolt::Inventory::Group::ILLEGAL_CHARS.
  if (/[ \t\r\n\f\v,]/.test(name)) {
    findings.problem(at, `"${name}" cannot be a group's name: as in Bolt, it has no blanks and no commas`);
    return false;
  }
  // Characters that end a name or are operators in an expression.
  if (name === '' || name === '*' || /[!&^[\]\s\p{C}]/u.test(name)) {
    const why = 'a group that cannot be typed ("!", "&", "^", "[" and "]" mean something else)';
    findings.warn(at, `${why}, though its hosts can`, { subject: name });
  }
  return true;
}

function readSources(
  reading: Reading,
  { value, path, group }: { value: Mapping; path: Path; group: GroupDraft },
): void {
  const { nodes, command, query } = value;
  const { problem } = reading.findings;
  if (typeof nodes === 'string') group.sources.push({ nodes });
  else if (Array.isArray(nodes)) {
    problem([...path, 'nodes'], `not an expression like "web[1-9]"; as a list it is ${VERSION_1}`);
  } else if (nodes !== undefined) problem([...path, 'nodes'], 'not an expression like "web[1-9]"');
  if (isArgv(command)) group.sources.push({ command });
  else if (command !== undefined) {
    problem([...path, 'command'], "not a list of a program's absolute path and its arguments");
  }
  if (typeof query === 'string') group.sources.push({ query });
  else if (query !== undefined) problem([...path, 'query'], 'not a query (PQL)');
}

function isArgv(value: unknown): value is string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((word) => typeof word === 'string') &&
    String(value[0]).startsWith('/')
  );
}
