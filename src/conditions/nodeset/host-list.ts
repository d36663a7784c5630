/** Hosts in a sentence: folded, and cut where folding does not make them few. */
import { foldTerms } from './fold.ts';

/** Names and ranges that are shown by default. */
const MOST = 20;

export interface HostListOptions {
  /** Maximum number of names and ranges; defaults to 20. */
  most?: number;
}

/**
 * `web[01-20,30].example.com, db1`; where that is more than `most` names and ranges, the first of them `and 412 more`.
 * What is shown is an expression that means these hosts.
 */
export function hostList(names: readonly string[], { most = MOST }: HostListOptions = {}): string {
  const terms = foldTerms(names);
  if (piecesIn(terms) <= most) return terms.join(', ');
  const sorted = byNumbers(names);
  const count = longestThatFits(sorted, most);
  return `${foldTerms(sorted.slice(0, count)).join(', ')} and ${names.length - count} more`;
}

/** How many of the first names are shown, at least one. Folds only as many as it must: there may be very many. */
function longestThatFits(sorted: readonly string[], most: number): number {
  const fits = (count: number) => piecesIn(foldTerms(sorted.slice(0, count))) <= most;
  let good = 1;
  let bad = 2;
  while (bad < sorted.length && fits(bad)) [good, bad] = [bad, bad * 2];
  bad = Math.min(bad, sorted.length);
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2);
    if (fits(middle)) good = middle;
    else bad = middle;
  }
  return good;
}

/** Names and ranges. A name in quotes is one, whatever is in it. */
function piecesIn(terms: readonly string[]): number {
  return terms.reduce((sum, term) => sum + (term.startsWith('"') ? 1 : term.split(',').length), 0);
}

/** web2 before web10, so that neighbours fold. */
function byNumbers(names: readonly string[]): string[] {
  const keyed = names.map((name) => [name.replace(DIGITS, padded), name] as const);
  // Those that differ in zeros alone may come in any order.
  return keyed.sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, name]) => name);
}

const DIGITS = /\d+/g;
const padded = (digits: string) => digits.padStart(16, '0');
