/**
 * What of the named and excluded hosts travels with a question, for agents to judge by their own certnames (DESIGN 12). Groups
 * and aliases cannot: what is sent may name more hosts than are meant and exclude fewer, never the other way round.
 */

import type { Members } from '../../conditions/nodeset/evaluate.ts';
import { eachName, type Parsed, type Term } from '../../conditions/nodeset/expression.ts';
import { foldNames, foldTerms } from '../../conditions/nodeset/fold.ts';
import { MOST_MEANT, meantAmong } from '../../conditions/nodeset/meant.ts';
import { MAX_MEANT, type Meant } from '../../protocol/discovery.ts';
import { hostReader } from './host-names.ts';
import type { SelectionContext } from './targets.ts';

type NamesContext = Pick<SelectionContext, 'inventory' | 'domain'>;

/** `named`: undefined for everybody. Returns undefined if nothing can travel. */
export function meantHosts(
  { named, exclude }: { named: readonly Parsed[] | undefined; exclude: readonly Parsed[] },
  context: NamesContext,
): Meant | undefined {
  const who =
    named &&
    textsOf(
      named.map(({ terms }) => withoutGroups(terms)),
      context,
    );
  const notWho = exclude.map(({ terms }) => onlyNames(terms)).filter((terms) => terms !== undefined);
  const out = textsOf(notWho, context);
  if (who === undefined && (out === undefined || out.length === 0)) return undefined;
  return {
    ...(who !== undefined && { named: who }),
    ...(out !== undefined && out.length > 0 && { exclude: out }),
    ...(context.domain !== undefined && { domain: context.domain }),
  };
}

/**
 * A superset, of terms that only add hosts or keep some: what a group or a `!` would have taken away stays. Such hosts are asked as well, since masks are
 * matched against those that have answered, and a `!` that takes nobody away is most likely a typo.
 */
function withoutGroups(terms: readonly Term[]): readonly Term[] | undefined {
  const adding = terms
    .filter(({ operator }) => operator !== '!')
    .map((term): Term => (term.operator === '^' ? { ...term, operator: ',' } : term));
  if (adding.some(({ kind, operator }) => kind === 'group' && operator === ',')) return undefined;
  return adding.filter(({ kind }) => kind !== 'group');
}

/** A subset: what a group would have added is missing. */
function onlyNames(terms: readonly Term[]): readonly Term[] | undefined {
  const left = terms.filter(({ kind }) => kind !== 'group');
  if (left.length === terms.length) return terms;
  return terms.every(({ operator }) => operator === ',') ? left : undefined;
}

/** Undefined if one of them cannot travel, or all together are too much. */
function textsOf(all: readonly (readonly Term[] | undefined)[], context: NamesContext): string[] | undefined {
  const names: string[] = [];
  const texts: string[] = [];
  const allowance = { ...MOST_MEANT };
  const isRoom = (terms: readonly Term[]) => terms.every((term) => count(term, allowance));
  for (const terms of all) {
    if (terms === undefined || !isRoom(terms)) return undefined;
    const isPlain = terms.every(({ kind, operator }) => kind === 'name' && operator === ',');
    if (isPlain) names.push(...terms.flatMap((term) => namesOf(term, context)));
    else {
      const text = textOf(terms, context);
      if (text === undefined) return undefined;
      if (text !== '') texts.push(text);
    }
  }
  if (names.length > 0) texts.push(foldNames([...new Set(names)]));
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  return length > MAX_MEANT || texts.length > MAX_TEXTS ? undefined : texts;
}

const MAX_TEXTS = 64;

function count({ kind, parts }: Term, allowance: { names: number; lookups: number }): boolean {
  const means = parts.reduce((sum, part) => sum * (typeof part === 'string' ? 1 : part.length), 1);
  if (kind === 'name') allowance.names -= means;
  else allowance.lookups -= means;
  return allowance.names >= 0 && allowance.lookups >= 0;
}

/** Masks as typed, names as the certnames that they mean here. */
function textOf(terms: readonly Term[], context: NamesContext): string | undefined {
  let text = '';
  for (const term of terms) {
    const { kind, operator } = term;
    const parts = kind === 'name' ? foldTerms(namesOf(term, context)) : [term.text];
    // Without parentheses, of several only a union and a difference can be said.
    if (parts.length > 1 && operator !== ',' && operator !== '!') return undefined;
    for (const part of parts) text += text === '' ? part : `${operator}${part}`;
  }
  return text;
}

function namesOf(term: Term, context: NamesContext): string[] {
  const read = hostReader(context);
  const names: string[] = [];
  eachName(term, (name) => names.push(read(name, term)));
  return names;
}

/** Hosts of which it is known that they are named, and not excluded. */
export async function askedAmong(hosts: Members, meant: Meant): Promise<Members> {
  const { named, excluded } = await meantAmong(hosts, meant);
  return new Set([...named].filter((certname) => !excluded.has(certname)));
}
