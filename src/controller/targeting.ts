/** From the names that an operator types to the hosts that are meant. */
import { KickError } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import type { Target } from '../transport/transport.ts';
import { plural } from '../util/text.ts';
import { type Inventory, type InventoryEntry, parseAddress } from './inventory.ts';

export interface TargetingOptions {
  inventory: Inventory;
  /** Added to a name without a dot that the inventory does not know; absent: names are taken as typed. */
  domain?: string | undefined;
  /** Where agents listen, unless the inventory says otherwise. */
  port: number;
}

/**
 * The hosts that the names mean, each once, in the order of their first mention. Throws `KickError`
 * `usage` naming every name that cannot be one.
 */
export function resolveTargets(names: readonly string[], options: TargetingOptions): Target[] {
  const typed = names
    .map((name) => name.trim().replace(/\.$/, '').toLowerCase())
    .filter((name) => name !== '');
  const malformed = [...new Set(typed.filter((name) => !isCertname(name)))];
  if (malformed.length > 0) {
    const quoted = malformed.slice(0, 10).map((name) => JSON.stringify(name));
    const more = malformed.length > 10 ? ` and ${malformed.length - 10} more` : '';
    throw new KickError('usage', `read the host names: not a certname: ${quoted.join(', ')}${more}`, {
      hint: 'a certname is made of letters, digits, ".", "-" and "_", as "puppet config print certname" shows it',
    });
  }
  if (typed.length === 0) {
    throw new KickError('usage', 'read the host names: there are none', {
      hint: 'name hosts: kick web1.example.com, or --nodes-file FILE',
    });
  }
  const known = indexOf(options.inventory);
  const targets = new Map<string, Target>();
  for (const name of typed) {
    const target = targetOf(name, known, options);
    if (!targets.has(target.certname)) targets.set(target.certname, target);
  }
  return [...targets.values()];
}

/** Whether the inventory knows a name, an alias, or a name without its domain. */
export function isInInventory(name: string, { targets }: Inventory): boolean {
  return targets.some(
    (entry) => entry.name === name || entry.alias.includes(name) || entry.name.startsWith(`${name}.`),
  );
}

function indexOf({ targets }: Inventory): Map<string, InventoryEntry> {
  const known = new Map<string, InventoryEntry>();
  for (const entry of targets) for (const name of [entry.name, ...entry.alias]) known.set(name, entry);
  return known;
}

function targetOf(
  name: string,
  known: ReadonlyMap<string, InventoryEntry>,
  options: TargetingOptions,
): Target {
  const { domain, port } = options;
  const full = name.includes('.') || domain === undefined ? name : `${name}.${domain}`;
  const entry = known.get(name) ?? known.get(full);
  const certname = entry?.name ?? full;
  const address = entry?.uri === undefined ? undefined : parseAddress(entry.uri);
  return { certname, host: address?.host ?? certname, port: address?.port ?? port };
}

/** The names in a list of nodes: one a line, `#` begins a comment. Throws `KickError` `usage` for a line with more. */
export function parseNodesFile(text: string, file: string): string[] {
  const names: string[] = [];
  const bad: string[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const name = line.replace(/#.*$/, '').trim();
    if (name === '') continue;
    if (/\s/.test(name) || !isCertname(name.toLowerCase()))
      bad.push(`${file}:${index + 1}: not a certname: ${JSON.stringify(name.slice(0, 80))}`);
    else names.push(name);
  }
  if (bad.length > 0) {
    const shown = bad.slice(0, 20).join('\n  ');
    throw new KickError(
      'usage',
      `read the list of nodes, ${plural(bad.length, 'line')} cannot be used:\n  ${shown}`,
      {
        hint: 'one certname a line; # begins a comment',
      },
    );
  }
  return names;
}
