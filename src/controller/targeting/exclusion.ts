/** An exclusion is a safety belt: one that holds nobody is reported. */
import { KickError } from '../../errors.ts';
import type { NarrowableScope } from './groups.ts';
import type { Inventory } from './inventory.ts';
import { evaluate, type Members } from './nodeset/evaluate.ts';
import type { Parsed, Term } from './nodeset/expression.ts';
import type { Warn } from './warn.ts';

export interface ExclusionContext {
  scope: NarrowableScope;
  inventory: Inventory;
  /** Whether a host that has this name is known beyond the inventory. */
  isKnown(certname: string): Promise<boolean>;
  warn: Warn;
}

/** Whom an expression leaves out of these hosts; whatever in it names nobody known is reported. */
export async function excludedBy(
  { text, origin, terms }: Parsed,
  hosts: Members,
  context: ExclusionContext,
): Promise<Set<string>> {
  const excluded = await evaluate(terms, context.scope.over(hosts));
  if (text.trim() === '') context.warn(`${origin}: it names nobody`);
  // What operators other than a union join means something only as a whole.
  const parts = terms.every(({ operator }) => operator === ',') ? terms.map((term) => [term]) : [terms];
  for (const part of parts) {
    if (await namesSomebody(part, hosts, context)) continue;
    const what = part.length === 1 ? part[0]?.text : text;
    context.warn(`${origin} ${what}: no such host among the chosen`);
  }
  return excluded;
}

/** Reports the `!` of an expression that leaves nobody out, as `evaluate` tells of it. */
export function idleExclusion({ origin }: Pick<Parsed, 'origin'>, context: ExclusionContext) {
  return async (term: Term, left: Members): Promise<void> => {
    if (await namesSomebody([term], left, context)) return;
    context.warn(`${origin}: !${term.text}: no such host among those before it`);
  };
}

async function namesSomebody(
  terms: readonly Term[],
  hosts: Members,
  { scope, inventory, isKnown }: ExclusionContext,
): Promise<boolean> {
  const [first, ...rest] = terms;
  if (first === undefined) return true;
  const alone: Term[] = [{ ...first, operator: ',' }, ...rest];
  const named = await evaluate(alone, scope.over(hosts));
  for (const certname of named) if (hosts.has(certname) || inventory.hosts.has(certname)) return true;
  if (terms.some(({ kind }) => kind !== 'name')) return named.size > 0 || (await fitsSomebody(alone, scope));
  for (const certname of named) if (await isKnown(certname)) return true;
  return false;
}

/** Masks of an exclusion were tried on the chosen; others may fit, where others are known at all. */
async function fitsSomebody(terms: readonly Term[], scope: NarrowableScope): Promise<boolean> {
  try {
    return (await evaluate(terms, scope)).size > 0;
  } catch (error) {
    if (error instanceof KickError) return false;
    throw error;
  }
}
