/** `facts` and `config` of a group or a target. */
import { isIPv6 } from 'node:net';
import { UNKNOWN_FACT } from '../../../conditions/unknown-fact.ts';
import { WAYS, type Way } from '../../../protocol/names.ts';
import { clip } from '../../../util/text.ts';
import { parseUri } from '../address.ts';
import { type Entry, isPlugin, pluginText, type Reading } from './draft.ts';
import type { Path } from './findings.ts';
import { type Data, isMapping, type Mapping, NO_DATA, NO_FACTS, setOwn } from './merge.ts';
import { type BoltConfig, OWN_SCHEME, TRANSPORTS } from './reach.ts';

export function readData(reading: Reading, { value, path }: { value: Mapping; path: Path }): Data {
  const facts = readFacts(reading, { value: value['facts'], path: [...path, 'facts'] });
  const config = readConfig(reading, { value: value['config'], path: [...path, 'config'] });
  const via = readVia(reading, { value: value['via'], path: [...path, 'via'] });
  if (facts === NO_FACTS && config === undefined && via === undefined) return NO_DATA;
  return { facts, config, via };
}

function readVia({ findings }: Reading, { value, path }: Entry): Way | undefined {
  if (value === undefined || value === null) return undefined;
  const way = WAYS.find((one) => one === value);
  if (way === undefined) findings.problem(path, `not one of ${WAYS.join(', ')}`);
  return way;
}

function readFacts(reading: Reading, { value, path }: Entry): Mapping {
  if (value === undefined || value === null) return NO_FACTS;
  if (!isMapping(value)) {
    reading.findings.problem(path, 'not a mapping');
    return NO_FACTS;
  }
  const known = withoutPlugins(value, path, { reading, done: new Map() });
  return isMapping(known) ? known : NO_FACTS;
}

interface Walk {
  reading: Reading;
  /** With YAML aliases one value may occur in many places, even inside itself. */
  done: Map<object, unknown>;
}

/** Returns the same value, copied only where it contains a plugin. */
function withoutPlugins(value: unknown, path: Path, walk: Walk): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (walk.done.has(value)) return walk.done.get(value);
  walk.done.set(value, value);
  if (isPlugin(value)) {
    const { findings } = walk.reading;
    findings.warn(path, `a fact from ${pluginText(value)}: unknown`);
    walk.done.set(value, UNKNOWN_FACT);
    return UNKNOWN_FACT;
  }
  let copy: Record<string, unknown> | unknown[] | undefined;
  for (const [key, one] of Object.entries(value)) {
    if (typeof one !== 'object' || one === null) continue;
    const known = withoutPlugins(one, [...path, key], walk);
    if (known === one) continue;
    copy ??= Array.isArray(value) ? [...value] : { ...value };
    setOwn(copy as Record<string, unknown>, key, known);
  }
  if (copy !== undefined) walk.done.set(value, copy);
  return copy ?? value;
}

function readConfig(reading: Reading, { value, path }: Entry): BoltConfig | undefined {
  const { findings } = reading;
  if (value === undefined || value === null) return undefined;
  if (!isMapping(value)) {
    findings.problem(path, 'not a mapping');
    return undefined;
  }
  if (isPlugin(value)) {
    findings.warn(path, `config from ${pluginText(value)}: ignored`);
    return { hosts: {} };
  }
  if (Object.keys(value).length === 0) return undefined;
  const transport = readTransport(reading, { value: value['transport'], path: [...path, 'transport'] });
  return { transport, hosts: readHosts(reading, { value, path }) };
}

function readTransport({ findings }: Reading, { value, path }: Entry): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') {
    const why = isPlugin(value) ? `from ${pluginText(value)}` : 'not the name of a transport';
    findings.warn(path, `${why}: taken for ssh`);
    return 'ssh';
  }
  if (!TRANSPORTS.includes(value) && value !== OWN_SCHEME) {
    findings.warn(path, `${JSON.stringify(clip(value, 80))} is no transport of Bolt's`);
  }
  return value;
}

/** `host` of each transport's section: the address of a target without a uri. */
function readHosts(
  { findings }: Reading,
  { value: config, path }: { value: Mapping; path: Path },
): Record<string, string> {
  const hosts: Record<string, string> = {};
  for (const transport of TRANSPORTS) {
    const section = config[transport];
    const host = isMapping(section) ? section['host'] : undefined;
    if (host === undefined || host === null) continue;
    const address = typeof host === 'string' ? hostOf(host) : undefined;
    if (address !== undefined) hosts[transport] = address;
    else {
      const why = isPlugin(host) ? `from ${pluginText(host)}` : 'not an address';
      findings.warn([...path, transport, 'host'], `${why}: targets are reached by their names`);
    }
  }
  return hosts;
}

function hostOf(text: string): string | undefined {
  if (isIPv6(text)) return text;
  const uri = parseUri(text);
  return uri?.scheme === undefined && uri?.port === undefined && uri?.host !== '' ? uri?.host : undefined;
}
