/** What an expression means, given the groups and hosts that there are. */
import { namesOf, type Operator, type Term } from './expression.ts';

/** What names mean to an expression. Each method may throw `KickError`. */
export interface Scope {
  /** The host that a name means. */
  host(name: string, term: Term): string;
  /** The members of a group. */
  group(name: string, term?: Term): Promise<ReadonlySet<string>>;
  /** The hosts that a mask with `*` and `?` fits. */
  matching(mask: string, term: Term): Promise<Iterable<string>>;
}

/** The hosts of an expression, in the order in which they are first named. */
export async function evaluate(terms: readonly Term[], scope: Scope): Promise<Set<string>> {
  let result = new Set<string>();
  for (const term of terms) result = apply(term.operator, result, await membersOf(term, scope));
  return result;
}

/** Whom one term means by itself. */
export async function membersOf(term: Term, scope: Scope): Promise<Set<string>> {
  const members = new Set<string>();
  for (const name of namesOf(term)) {
    if (term.kind === 'name') members.add(scope.host(name, term));
    else {
      const found = term.kind === 'group' ? await scope.group(name, term) : await scope.matching(name, term);
      for (const host of found) members.add(host);
    }
  }
  return members;
}

export function apply(operator: Operator, left: Set<string>, right: ReadonlySet<string>): Set<string> {
  switch (operator) {
    case ',':
      for (const host of right) left.add(host);
      return left;
    case '!':
      for (const host of right) left.delete(host);
      return left;
    case '&':
      return new Set([...left].filter((host) => right.has(host)));
    case '^': {
      const result = new Set([...left].filter((host) => !right.has(host)));
      for (const host of right) if (!left.has(host)) result.add(host);
      return result;
    }
  }
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
