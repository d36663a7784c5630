/** An exclusion is a safety belt: one that excludes nothing is reported. */

import { evaluate, type Members, type NarrowableScope } from '../../conditions/nodeset/evaluate.ts';
import { eachName, type Parsed, type Term } from '../../conditions/nodeset/expression.ts';
import { KickError } from '../../errors.ts';
import type { Inventory } from './inventory.ts';
import type { Warn } from './warn.ts';

export interface ExclusionContext {
  scope: NarrowableScope;
  inventory: Inventory;
  /** Whether a host of this name is known outside the inventory. */
  isKnown(certname: string): Promise<boolean>;
  warn: Warn;
}

/** Returns the hosts that an expression excludes from these; reports parts of it that name no known host. */
export async function excludedBy(
  { text, origin, terms }: Parsed,
  hosts: Members,
  context: ExclusionContext,
): Promise<Set<string>> {
  const excluded = await evaluate(terms, context.scope.over(hosts));
  if (text.trim() === '') context.warn(`${origin}: it names nobody`);
  // Terms joined by operators other than union only make sense as a whole.
  const parts = terms.every(({ operator }) => operator === ',') ? terms.map((term) => [term]) : [terms];
  for (const part of parts) {
    if (await namesSomebody(part, hosts, context)) continue;
    const what = part.length === 1 ? part[0]?.text : text;
    context.warn(`${origin} ${what}: no such host among the chosen`);
  }
  return excluded;
}

/** Reports a `!` of an expression that excludes nothing: `evaluate` calls its `onIdle` with each. */
export async function reportIdle(
  { origin }: Pick<Parsed, 'origin'>,
  { term, left }: { term: Term; left: Members },
  context: ExclusionContext,
): Promise<void> {
  if (await namesSomebody([term], left, context)) return;
  context.warn(`${origin}: !${term.text}: no such host among those before it`);
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
  if (!terms.every((term) => term.kind === 'name' || isListed(term, inventory)))
    return named.size > 0 || (await fitsSomebody(alone, scope));
  for (const certname of named) if (await isKnown(certname)) return true;
  return false;
}

/** Whether a group consists only of names in the inventory's file, which may be misspelt like any others. */
function isListed(term: Term, inventory: Inventory): boolean {
  const groups: string[] = [];
  if (term.kind === 'group') eachName(term, (name) => groups.push(name));
  // Groups that contain themselves are refused when they are looked up.
  const seen = new Set(groups);
  for (const name of seen) for (const child of inventory.groups.get(name)?.children ?? []) seen.add(child);
  const sources = [...seen].flatMap((name) => inventory.groups.get(name)?.sources ?? []);
  const isNames = sources.every((source) => 'nodes' in source && !/[@*?/]/.test(source.nodes));
  return sources.length > 0 && isNames;
}

/** Whether a mask that matches none of the chosen hosts matches any other known host. */
async function fitsSomebody(terms: readonly Term[], scope: NarrowableScope): Promise<boolean> {
  try {
    return (await evaluate(terms, scope)).size > 0;
  } catch (error) {
    if (error instanceof KickError) return false;
    throw error;
  }
}
