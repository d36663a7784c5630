/** What an expression means, given the groups and hosts that there are. */
import { eachName, type Operator, type Term } from './expression.ts';

/** Hosts, each once. */
export interface Members extends Iterable<string> {
  has(name: string): boolean;
}

/** The keys of a map, which may be very many, without a copy of them. */
export function keysOf(map: ReadonlyMap<string, unknown>): Members {
  return { has: (name) => map.has(name), [Symbol.iterator]: () => map.keys() };
}

/** What names mean to an expression. Each method may throw `KickError`. */
export interface Scope {
  /** The host that a name means. */
  host(name: string, term: Term): string;
  /** The members of a group. */
  group(name: string, term?: Term): Promise<Members>;
  /** The hosts that a mask with `*` and `?` fits. */
  matching(mask: string, term: Term): Promise<Iterable<string>>;
  /** The same, but masks (those of groups too) are tried on these hosts alone: who is left out may be known to nobody. */
  over?(hosts: Members): Scope;
}

/**
 * The hosts of an expression, in the order in which they are first named. `onIdle` is told of a term that
 * leaves nobody out, and the hosts that it was to leave out of.
 */
export async function evaluate(
  terms: readonly Term[],
  scope: Scope,
  onIdle?: (term: Term, left: Members) => Promise<void>,
): Promise<Set<string>> {
  let result = new Set<string>();
  for (const term of terms) {
    const isExclusion = term.operator === '!';
    const within = isExclusion ? (scope.over?.(result) ?? scope) : scope;
    const before = result.size;
    result = apply(term.operator, result, await hostsOf(term, within));
    if (isExclusion && result.size === before) await onIdle?.(term, result);
  }
  return result;
}

/** Whom one term means by itself; one host may be there twice. */
async function hostsOf(term: Term, scope: Scope): Promise<Iterable<string>> {
  const names: string[] = [];
  // Names are made one at a time: those that the inventory knows need not be kept.
  eachName(term, (name) => names.push(term.kind === 'name' ? scope.host(name, term) : name));
  if (term.kind === 'name') return names;
  const lists: Iterable<string>[] = [];
  for (const name of names) {
    lists.push(term.kind === 'group' ? await scope.group(name, term) : await scope.matching(name, term));
  }
  const [only = [], ...more] = lists;
  return more.length === 0 ? only : new Set(lists.flatMap((list) => [...list]));
}

/** Changes `left`: sets of 50,000 are not copied where that can be avoided. */
function apply(operator: Operator, left: Set<string>, right: Iterable<string>): Set<string> {
  switch (operator) {
    case ',':
      if (left.size === 0) return new Set(right);
      for (const host of right) left.add(host);
      return left;
    case '!':
      for (const host of right) left.delete(host);
      return left;
    case '&': {
      const members = asMembers(right);
      for (const host of left) if (!members.has(host)) left.delete(host);
      return left;
    }
    case '^':
      for (const host of asMembers(right)) if (!left.delete(host)) left.add(host);
      return left;
  }
}

function asMembers(hosts: Iterable<string>): Members {
  return 'has' in hosts ? (hosts as Members) : new Set(hosts);
}

/** A mask with `*` (any text) and `?` (one character) as a test of a whole name. */
export function globTest(mask: string): (name: string) => boolean {
  // A row of stars means one: without this, matching could take exponential time.
  const source = mask
    .replace(/\*+/g, '*')
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const pattern = new RegExp(`^${source}$`, 's');
  return (name) => pattern.test(name);
}
