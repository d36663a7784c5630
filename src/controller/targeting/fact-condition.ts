/** `--fact os.family=Debian`: a fact, how it is compared, and with what. */
import { KickError } from '../../errors.ts';
import { compareVersions, isVersion } from '../../util/versions.ts';
import { UNKNOWN_FACT } from './unknown-fact.ts';

export type Comparison = '=' | '!=' | '~' | '<' | '>' | '<=' | '>=';

/** `['os', 'family']`; a number is a place in a list, from 0, or a key of digits. */
export type FactPath = readonly (string | number)[];

export interface FactCondition {
  /** As typed. */
  text: string;
  path: FactPath;
  comparison: Comparison;
  value: string;
}

/** Throws `KickError` `usage` that points at the column of what is wrong. */
export function parseFactCondition(text: string): FactCondition {
  const { path, end } = readPath(text);
  // `==` and `=~` are how Puppet's language writes them.
  const [matched = '', typed] = /^\s*(==|=~|!=|<=|>=|=|~|<|>)\s*/.exec(text.slice(end)) ?? [];
  if (typed === undefined) throw problem(text, end, 'a comparison is missing (=, !=, ~, <, >, <= or >=)');
  const comparison = (ALIASES[typed] ?? typed) as Comparison;
  const at = end + matched.length;
  const value = text.slice(at).trim();
  checkValue(text, at, { comparison, value });
  return { text, path, comparison, value };
}

const ALIASES: Readonly<Record<string, Comparison>> = { '==': '=', '=~': '~' };

function checkValue(
  text: string,
  at: number,
  { comparison, value }: Pick<FactCondition, 'comparison' | 'value'>,
): void {
  // A variable of a script that is not set: every fact fits an empty pattern, and differs from an empty text.
  if (value === '') throw problem(text, at, 'a value is missing (an empty text is ~^$)');
  if (comparison === '!=' && value.startsWith('=')) throw problem(text, at, '"!==" is not a comparison');
  if (isOrder(comparison) && !isDecimal(value) && !isVersion(value)) {
    throw problem(text, at, `"${value}" is neither a number nor a version`);
  }
  if (comparison !== '~') return;
  try {
    new RegExp(value);
  } catch (error) {
    throw problem(text, at, error instanceof Error ? error.message : 'not a regular expression');
  }
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
    path.push(quoted ?? (/^(0|[1-9]\d{0,5})$/.test(plain) ? Number(plain) : plain));
    for (const [, index] of places.matchAll(/\[(\d+)\]/g)) path.push(Number(index));
    end = piece.lastIndex;
    if (text[end] !== '.') return { path, end };
    end += 1;
  }
}

function problem(text: string, at: number, message: string): KickError {
  const caret = `${' '.repeat(at)}^`;
  return new KickError('usage', `--fact: ${message}, see column ${at + 1}\n  ${text}\n  ${caret}`, {
    hint: 'os.family=Debian, os.release.major!=12, kernelversion~^5, processors.count>4, os.release.full>=12.4',
  });
}

/** What stands at a path; undefined where nothing does, or null; `UNKNOWN_FACT` where nobody can say. */
export function valueAt(facts: unknown, path: FactPath): unknown {
  let value = facts;
  for (const key of path) {
    if (value === UNKNOWN_FACT) return value;
    if (Array.isArray(value)) value = typeof key === 'number' ? value[key] : undefined;
    else if (typeof value === 'object' && value !== null && Object.hasOwn(value, key))
      value = (value as Record<string | number, unknown>)[key];
    else return undefined;
  }
  return value ?? undefined;
}

/**
 * Whether the value of a fact fulfils a condition. A fact that is not there, a list and a mapping equal
 * nothing, so `!=` holds of them. `incomparable`: there is a value, but it is neither more nor less, or unknown.
 */
export function judge(
  value: unknown,
  { comparison, value: wanted }: FactCondition,
): boolean | 'incomparable' {
  if (value === UNKNOWN_FACT) return 'incomparable';
  switch (comparison) {
    case '=':
      return equals(value, wanted);
    case '!=':
      return !equals(value, wanted);
    case '~': {
      const text = textOf(value);
      return text !== undefined && new RegExp(wanted).test(text);
    }
    default: {
      if (value === undefined) return false;
      const order = compare(value, wanted);
      return order === undefined ? 'incomparable' : isInOrder(order, comparison);
    }
  }
}

function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

/** As text; a fact that is a number also as a number, so that 4.0 is 4. */
function equals(value: unknown, wanted: string): boolean {
  return (
    textOf(value) === wanted || (typeof value === 'number' && isDecimal(wanted) && value === Number(wanted))
  );
}

/**
 * A fact that is a number is compared as one. Text is compared as a version, of which a whole number is the
 * simplest: Facter tells releases as text, and 12.10 comes after 12.4.
 */
function compare(value: unknown, wanted: string): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  const isSigned = text.startsWith('-') || wanted.startsWith('-');
  if ((typeof value === 'number' || isSigned) && isDecimal(text) && isDecimal(wanted))
    return Number(text) - Number(wanted);
  return compareVersions(text, wanted);
}

function isInOrder(order: number, comparison: Comparison): boolean {
  if (order === 0) return comparison.endsWith('=');
  return comparison.startsWith('<') ? order < 0 : order > 0;
}

const isOrder = (comparison: Comparison) => /[<>]/.test(comparison);

const isDecimal = (text: string) => /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text);
