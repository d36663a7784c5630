/**
 * Targets that are plain text: lib/bolt/inventory/group.rb, resolve_string_targets. They name a target
 * defined elsewhere, by its name or alias, or else a new one by its uri.
 */
import type { Reading, TargetList } from './draft.ts';
import { identityOfUri } from './identity.ts';
import { NO_DATA, NO_FACTS } from './merge.ts';
import { addHost } from './targets.ts';

/** Call it once all definitions and aliases are known. */
export function readReferences(reading: Reading): void {
  for (const list of reading.lists) {
    for (let index = 0; index < list.list.length; index++) {
      const text = list.list[index];
      if (typeof text === 'string') readReference(reading, { text, index, list });
    }
  }
}

interface Reference {
  text: string;
  index: number;
  list: TargetList;
}

function readReference(reading: Reading, { text, index, list: { group, path } }: Reference): void {
  const { defined, aliases, boltAliases, passedOver, findings } = reading;
  const definition = defined.get(text);
  if (definition !== undefined) {
    // In Bolt a bare name replaces a fuller entry in the same list.
    const own = group.own.get(definition);
    group.own.delete(definition);
    if (own !== undefined && own !== NO_DATA) {
      const what = 'listed twice here: as in Bolt, this bare name replaces the entry that says more';
      findings.warn([...path, String(index)], what, { subject: definition });
    }
    addHost(reading, { certname: definition, boltName: text, path, group });
    return;
  }
  // The target itself has a finding.
  if (passedOver.has(text)) return;
  const known = boltAliases.get(text) ?? aliases.get(text.toLowerCase());
  if (known !== undefined || isPlainCertname(text)) {
    addHost(reading, { certname: known ?? text, boltName: known ?? text, path, group });
    return;
  }
  readUri(reading, { text, path: [...path, String(index)], group });
}

function readUri(
  reading: Reading,
  { text, path, group }: { text: string; path: readonly string[]; group: TargetList['group'] },
): void {
  const identity = identityOfUri(reading, { text, path });
  if (identity === undefined) return;
  const { certname, uri } = identity;
  addHost(reading, { certname, boltName: text, path, group });
  const isBare = uri?.scheme === undefined && uri?.port === undefined;
  if (!isBare && !group.own.has(certname)) group.own.set(certname, { facts: NO_FACTS, uri });
}

/** Recognises nearly all certnames (letters and digits with single dots and dashes between them), much faster than `isHostName`. */
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
