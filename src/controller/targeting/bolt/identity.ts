/** Which host, by certname, a target of Bolt's is. */
import { isIPv6 } from 'node:net';
import { isCertname, isHostName } from '../../../protocol/names.ts';
import { parseUri, type Uri, withoutUser } from '../address.ts';
import { type Entry, type GroupDraft, isPlugin, leaveOut, pluginText, type Reading, skip } from './draft.ts';
import type { Path } from './findings.ts';
import { isMapping, type Mapping } from './merge.ts';
import { isWithoutAgent } from './reach.ts';

export interface Identity {
  certname: string;
  /** Bolt's name for it. */
  boltName: string;
  uri?: Uri | undefined;
}

/** The identity of a mapping; undefined, with a finding, if it has none. */
export function identityOf(
  reading: Reading,
  { value, path, group }: { value: Mapping; path: Path; group: GroupDraft },
): Identity | undefined {
  const { name, uri } = value;
  const by = name ?? uri;
  if (isPlugin(by)) {
    skip(reading, { path, why: `a target named by ${pluginText(by)}` });
    return undefined;
  }
  if (typeof by !== 'string' || by === '') {
    reading.findings.problem(path, 'a target has a name or a uri, as text');
    return undefined;
  }
  if (by !== name) return identityOfUri(reading, { text: by, path: [...path, 'uri'] });
  const certname = certnameOf(by);
  if (certname !== undefined) {
    return { certname, boltName: by, uri: uriBeside(reading, { value: uri, path: [...path, 'uri'] }) };
  }
  const subject = by.includes('://') ? withoutUser(by) : by;
  const transport = transportOf(value['config']) ?? group.data.config?.transport ?? '';
  if (isWithoutAgent(transport)) leaveOut(reading, { name: subject, transport, path });
  else skip(reading, { path: [...path, 'name'], why: 'a name that cannot be a certname', subject });
  return undefined;
}

function transportOf(config: unknown): string | undefined {
  const transport = isMapping(config) ? config['transport'] : undefined;
  return typeof transport === 'string' ? transport : undefined;
}

function uriBeside(reading: Reading, { value, path }: Entry): Uri | undefined {
  if (value === undefined || value === null) return undefined;
  const uri = typeof value === 'string' ? parseUri(value) : undefined;
  if (uri !== undefined) return uri;
  const why = isPlugin(value) ? `from ${pluginText(value)}` : notAnAddress(value);
  reading.findings.warn(path, `${why}: the target is reached by its name`);
  return undefined;
}

/** The identity of a target without a name. */
export function identityOfUri(
  reading: Reading,
  { text, path }: { text: string; path: Path },
): Identity | undefined {
  const subject = withoutUser(text);
  const uri = parseUri(text);
  const scheme = uri?.scheme ?? schemeOf(text);
  if (isWithoutAgent(scheme)) {
    // Not by its host: a container may have the name of a machine.
    leaveOut(reading, { name: subject, transport: scheme, path });
    return undefined;
  }
  const certname = hostNameOf(uri);
  if (certname !== undefined) return { certname, boltName: text, uri };
  const why = uri === undefined ? notAnAddress(text) : 'its host cannot be a certname, and it has no name';
  skip(reading, { path, why, subject });
  return undefined;
}

function hostNameOf(uri: Uri | undefined): string | undefined {
  const name = uri?.host.toLowerCase().replace(/\.$/, '') ?? '';
  return isHostName(name) ? name : undefined;
}

const schemeOf = (text: string) => /^([a-z]+):\/\//i.exec(text)?.[1]?.toLowerCase() ?? '';

function notAnAddress(value: unknown): string {
  if (typeof value === 'string' && isIPv6(value)) return 'an IPv6 address without its brackets';
  return 'not an address like host, host:port or [address]:port';
}

/** By Puppet's rule; Bolt only refuses names with blanks or commas. */
function certnameOf(text: string): string | undefined {
  const certname = text.toLowerCase().replace(/\.$/, '');
  return isCertname(certname) ? certname : undefined;
}
