/** `--fact os.family=Debian`: a fact, how it is compared, and with what. */
import { KickError } from '../errors.ts';

export type Comparison = '=' | '!=' | '~' | '<' | '>' | '<=' | '>=';

export interface FactCondition {
  /** As typed. */
  text: string;
  /** `['os', 'family']`; a number is a place in a list, from 0. */
  path: readonly (string | number)[];
  comparison: Comparison;
  value: string;
}

/** Throws `KickError` `usage` that points at the column of what is wrong. */
export function parseFactCondition(text: string): FactCondition {
  const { path, end } = readPath(text);
  const comparison = /^(?:!=|<=|>=|=|~|<|>)/.exec(text.slice(end))?.[0] as Comparison | undefined;
  if (comparison === undefined)
    throw problem(text, end, 'a comparison is missing (=, !=, ~, <, >, <= or >=)');
  const at = end + comparison.length;
  const value = text.slice(at);
  if (comparison.includes('<') || comparison.includes('>')) {
    if (!isNumber(value)) throw problem(text, at, `"${value}" is not a number`);
  }
  if (comparison === '~') {
    try {
      new RegExp(value);
    } catch (error) {
      throw problem(text, at, error instanceof Error ? error.message : 'not a regular expression');
    }
  }
  return { text, path, comparison, value };
}

function readPath(text: string): { path: (string | number)[]; end: number } {
  const path: (string | number)[] = [];
  // A name, or a quoted one that may hold anything; with places in lists: mounts."/".size, disks[0].
  const piece = /(?:"([^"]+)"|([A-Za-z0-9_:-]+))((?:\[\d{1,6}\])*)/y;
  let end = 0;
  for (;;) {
    piece.lastIndex = end;
    const match = piece.exec(text);
    if (match === null)
      throw problem(text, end, path.length === 0 ? 'a fact is missing' : 'a name is missing');
    const [, quoted, plain = '', places = ''] = match;
    path.push(quoted ?? (/^\d{1,6}$/.test(plain) ? Number(plain) : plain));
    for (const [, index] of places.matchAll(/\[(\d+)\]/g)) path.push(Number(index));
    end = piece.lastIndex;
    if (text[end] !== '.') return { path, end };
    end += 1;
  }
}

function problem(text: string, at: number, message: string): KickError {
  const caret = `${' '.repeat(at)}^`;
  return new KickError('usage', `--fact: ${message}, see column ${at + 1}\n  ${text}\n  ${caret}`, {
    hint: 'os.family=Debian, os.release.major!=12, kernelversion~^5, processors.count>4',
  });
}

/** Whether plain facts fulfil it. A fact that is not there equals nothing, so `!=` holds of it. */
export function fulfils(facts: Readonly<Record<string, unknown>>, condition: FactCondition): boolean {
  const { path, comparison, value } = condition;
  let fact: unknown = facts;
  for (const key of path) {
    if (typeof fact !== 'object' || fact === null || !Object.hasOwn(fact, key)) return comparison === '!=';
    fact = (fact as Record<string | number, unknown>)[key];
  }
  const text = typeof fact === 'object' ? undefined : String(fact);
  switch (comparison) {
    case '=':
      return text === value;
    case '!=':
      return text !== value;
    case '~':
      return text !== undefined && new RegExp(value).test(text);
    default:
      return isNumber(text) && compare(Number(text), comparison, Number(value));
  }
}

function compare(a: number, comparison: string, b: number): boolean {
  if (a === b) return comparison.endsWith('=');
  return comparison.startsWith('<') ? a < b : a > b;
}

const isNumber = (text: string | undefined) => text !== undefined && /^-?\d+(\.\d+)?$/.test(text);
