/** What an expression means, given the existing groups and hosts. */
import { eachName, type Operator, type Term } from './expression.ts';

/** A set of hosts. */
export interface Members extends Iterable<string> {
  has(name: string): boolean;
}

/** The keys of a large map, without copying them. */
export function keysOf(map: ReadonlyMap<string, unknown>): Members {
  return { has: (name) => map.has(name), [Symbol.iterator]: () => map.keys() };
}

/** What names mean to an expression. Each method may throw `KickError`. */
export interface Scope {
  /** The host that a name means. */
  host(name: string, term: Term): string;
  /** The members of a group. */
  group(name: string, term?: Term): Promise<Members>;
  /** The hosts that match a mask with `*` and `?`, or whose certnames a regular expression fits (`kind` of the term). */
  matching(mask: string, term: Term): Promise<Iterable<string>>;
  /** The same, but masks (also those in groups) only apply to these hosts, which need not be known otherwise. */
  over?(hosts: Members): Scope;
}

/** `over` cannot be missing. */
export type NarrowableScope = Scope & Required<Pick<Scope, 'over'>>;

/**
 * Returns the hosts of an expression, in the order in which they are first named. `onIdle` is called with each `!` term
 * that excludes nothing, and the hosts it was applied to.
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

/** The hosts that one term means by itself, possibly with duplicates. */
async function hostsOf(term: Term, scope: Scope): Promise<Iterable<string>> {
  const names: string[] = [];
  // Names are built one at a time, so that those the inventory knows need not be kept.
  eachName(term, (name) => names.push(term.kind === 'name' ? scope.host(name, term) : name));
  if (term.kind === 'name') return names;
  const find = (name: string) =>
    term.kind === 'group' ? scope.group(name, term) : scope.matching(name, term);
  const [only = '', ...more] = names;
  if (more.length === 0) return find(only);
  const union = new Set<string>();
  // One after the other: of many lists, all would not fit in the memory.
  for (const name of names) for (const host of await find(name)) union.add(host);
  return union;
}

/** Modifies `left` where possible: sets of 50,000 hosts are costly to copy. */
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
