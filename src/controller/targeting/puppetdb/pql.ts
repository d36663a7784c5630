/** Questions to PuppetDB in its query language (PQL). No value of a user leaves its literal. */

import type { FactPath } from '../../../conditions/fact-condition.ts';
import { isoTime } from '../../../util/times.ts';
import type { LastQuestion } from '../host-sources.ts';

/** A string literal: PQL's are JSON's. */
export function literal(text: string): string {
  return JSON.stringify(text);
}

/** What PuppetDB can pick out of a fact by itself; it has no way to name other keys, or places in lists. */
const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The beginning of a path that PuppetDB picks out, as a column; undefined where even the fact's name is odd. */
export function factColumn(path: FactPath): { column: string; rest: FactPath } | undefined {
  const odd = path.findIndex((key) => typeof key !== 'string' || !PLAIN_KEY.test(key));
  const length = odd < 0 ? path.length : odd;
  if (length === 0) return undefined;
  return { column: ['facts', ...path.slice(0, length)].join('.'), rest: path.slice(length) };
}

/** Columns of `factColumn` for these hosts, or for all. */
export function factColumns(columns: readonly string[], certnames?: readonly string[]): string {
  return `inventory[${['certname', ...columns].join(', ')}]{ ${among(certnames)} }`;
}

/** The whole value of a fact. */
export function wholeFact(name: string, certnames?: readonly string[]): string {
  const where = [`name = ${literal(name)}`, ...(certnames === undefined ? [] : [among(certnames)])];
  return `facts[certname, value]{ ${where.join(' and ')} }`;
}

function among(certnames: readonly string[] | undefined): string {
  return certnames === undefined ? '' : `certname in [${certnames.map(literal).join(', ')}]`;
}

/** `apache::mod` is the title `Apache::Mod`. */
export function byClass(name: string): string {
  const title = name
    .replace(/^::/, '')
    .split('::')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1).toLowerCase())
    .join('::');
  return `resources[certname]{ type = "Class" and title = ${literal(title)} }`;
}

export function byLast({ kind, olderThanMs }: LastQuestion, now: number): string {
  if (kind !== 'stale') return `nodes[certname]{ latest_report_status = ${literal(kind)} }`;
  const before = isoTime(now - olderThanMs);
  return `nodes[certname]{ report_timestamp < ${literal(before)} or report_timestamp is null }`;
}

export function activeNodes(): string {
  return 'nodes[certname]{ deactivated is null and expired is null }';
}

export function nodeStates(certnames?: readonly string[]): string {
  return `nodes[certname, report_environment, latest_report_status]{ ${among(certnames)} }`;
}

/** Classes with how many of these hosts have each. */
export function classesOf(certnames: readonly string[]): string {
  return `resources[title, count()]{ type = "Class" and ${among(certnames)} group by title }`;
}

export function classesOfAll(): string {
  return 'resources[title, count()]{ type = "Class" group by title }';
}
