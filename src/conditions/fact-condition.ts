/** `--fact os.family=Debian`: a fact, how it is compared, and with what. */
import { compareVersions, isVersion } from '../util/versions.ts';
import { ConditionProblem, pointingAt } from './problem.ts';
import { UNKNOWN_FACT } from './unknown-fact.ts';

export type Comparison = '=' | '!=' | '~' | '<' | '>' | '<=' | '>=';

/** `['os', 'family']`; a number is a list index, from 0, or a key of digits. */
export type FactPath = readonly (string | number)[];

export interface FactCondition {
  /** As typed. */
  text: string;
  path: FactPath;
  comparison: Comparison;
  value: string;
}

const HINT =
  'os.family=Debian, os.release.major!=12, kernelversion~^5, processors.count>4, os.release.full>=12.4';

/** Throws `KickError` `usage` that points at the offending column. */
export function parseFactCondition(text: string): FactCondition {
  return pointingAt({ text, name: '--fact', hint: HINT }, () => {
    const { path, comparison, end } = readComparison(text, 0);
    const value = text.slice(end).trim();
    checkValue(end, { comparison, value });
    return { text, path, comparison, value };
  });
}

/** A path alone: `os.family`. Throws `KickError` `usage` that points at the offending column. */
export function parseFactPath(text: string): FactPath {
  return pointingAt({ text, name: 'the fact', hint: 'os.family, mounts."/boot".size, disks[0]' }, () => {
    const { path, end } = readPath(text, 0);
    if (end < text.length) throw new ConditionProblem(end, 'a fact ends here');
    return path;
  });
}

/** What stands before a value, and where that begins. Throws `ConditionProblem`. */
export function readComparison(
  text: string,
  from: number,
): Pick<FactCondition, 'path' | 'comparison'> & { end: number } {
  const { path, end } = readPath(text, from);
  // `==` and `=~` are how Puppet's language writes them.
  const comparing = /\s*(==|=~|!=|<=|>=|=|~|<|>)\s*/y;
  comparing.lastIndex = end;
  const typed = comparing.exec(text)?.[1];
  if (typed === undefined)
    throw new ConditionProblem(end, 'a comparison is missing (=, !=, ~, <, >, <= or >=)');
  return { path, comparison: (ALIASES[typed] ?? typed) as Comparison, end: comparing.lastIndex };
}

const ALIASES: Readonly<Record<string, Comparison>> = { '==': '=', '=~': '~' };

/** Throws `ConditionProblem`. */
export function checkValue(
  at: number,
  { comparison, value }: Pick<FactCondition, 'comparison' | 'value'>,
): void {
  const fail = (message: string) => new ConditionProblem(at, message);
  // Most likely an unset variable in a script: every fact matches an empty pattern and differs from an empty text.
  if (value === '') throw fail('a value is missing (an empty text is ~^$)');
  if (comparison === '!=' && value.startsWith('=')) throw fail('"!==" is not a comparison');
  if (isOrder(comparison) && !isDecimal(value) && !isVersion(value))
    throw fail(`"${value}" is neither a number nor a version`);
  if (comparison !== '~') return;
  try {
    new RegExp(value);
  } catch (error) {
    throw fail(error instanceof Error ? error.message : 'not a regular expression');
  }
}

function readPath(text: string, from: number): { path: (string | number)[]; end: number } {
  const path: (string | number)[] = [];
  // A name, or a quoted one with anything in it, and list indices: mounts."/".size, disks[0].
  const piece = /(?:"([^"]+)"|([A-Za-z0-9_:-]+))((?:\[\d{1,6}\])*)/y;
  let end = from;
  for (;;) {
    piece.lastIndex = end;
    const match = piece.exec(text);
    if (match === null)
      throw new ConditionProblem(end, path.length === 0 ? 'a fact is missing' : 'a name is missing');
    const [, quoted, plain = '', places = ''] = match;
    path.push(quoted ?? (/^(0|[1-9]\d{0,5})$/.test(plain) ? Number(plain) : plain));
    for (const [, index] of places.matchAll(/\[(\d+)\]/g)) path.push(Number(index));
    end = piece.lastIndex;
    if (text[end] !== '.') return { path, end };
    end += 1;
  }
}

/** The value at a path; undefined for none and for null; `UNKNOWN_FACT` if it cannot be known. */
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
 * Whether the value of a fact meets a condition; `fits` are the texts that its regular expression fits (fact-patterns.ts). A missing fact, a list and a mapping equal nothing, so `!=` is true of
 * them. `incomparable`: the value is unknown, or can be neither less nor greater.
 */
export function judge(
  value: unknown,
  { comparison, value: wanted }: FactCondition,
  fits: ReadonlySet<string> = new Set(),
): boolean | 'incomparable' {
  if (value === UNKNOWN_FACT) return 'incomparable';
  switch (comparison) {
    case '=':
      return equals(value, wanted);
    case '!=':
      return !equals(value, wanted);
    case '~': {
      const text = textOf(value);
      return text !== undefined && fits.has(text);
    }
    default: {
      if (value === undefined) return false;
      const order = compare(value, wanted);
      return order === undefined ? 'incomparable' : isInOrder(order, comparison);
    }
  }
}

/** Undefined for what has none: a list, a mapping, nothing. */
export function textOf(value: unknown): string | undefined {
  return ['string', 'number', 'boolean'].includes(typeof value) ? String(value) : undefined;
}

/** As text; a fact that is a number also as a number, so that 4.0 is 4. */
function equals(value: unknown, wanted: string): boolean {
  return (
    textOf(value) === wanted || (typeof value === 'number' && isDecimal(wanted) && value === Number(wanted))
  );
}

/**
 * Numbers are compared as numbers. Text is compared as a version, of which a whole number is the simplest: Facter
 * reports releases as text, and 12.10 comes after 12.4.
 */
function compare(value: unknown, wanted: string): number | undefined {
  if (typeof value !== 'string' && typeof value !== 'number') return undefined;
  const text = String(value);
  // With a sign or an exponent it is a number and no version.
  const isNumber = typeof value === 'number' || /[-+e]/i.test(text + wanted);
  if (isNumber && isDecimal(text) && isDecimal(wanted)) return Number(text) - Number(wanted);
  return compareVersions(text, wanted);
}

function isInOrder(order: number, comparison: Comparison): boolean {
  if (order === 0) return comparison.endsWith('=');
  return comparison.startsWith('<') ? order < 0 : order > 0;
}

const isOrder = (comparison: Comparison) => /[<>]/.test(comparison);

const isDecimal = (text: string) => /^[-+]?\d+(\.\d+)?(e[-+]?\d+)?$/i.test(text);
