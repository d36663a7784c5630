/**
 * The language in which hosts are named: ClusterShell's (NodeSet.py), `web[01-20,30]!web7`,
 * `@dmz&*.example.com`. Operators have no precedence: they apply from left to right. Blanks between
 * two names are a union too, so that a quoted list works. A certname in quotes, `"web 1!"`, is itself, whatever is
 * in it.
 */
import { isCertname } from '../../../protocol/names.ts';
import { ExpressionProblem, pointAt } from './problem.ts';
import { expandRange, MAX_NAMES, withLeadingDigits, withTrailingDigits } from './range.ts';

/** An expression and where it stands, for messages: `argument 2`, `nodes.txt:3`. An empty one names nobody. */
export interface Named {
  text: string;
  origin: string;
}

/** Union, difference, intersection, symmetric difference. */
export type Operator = ',' | '!' | '&' | '^';

export interface Term {
  /** What joins it to all that stands before it. */
  operator: Operator;
  /** As typed. */
  text: string;
  /** Where in the expression, from 1. */
  column: number;
  /** What it names: hosts, groups, or hosts that a mask fits. */
  kind: 'name' | 'group' | 'glob';
  /** A name in quotes: neither short nor an alias. */
  isQuoted?: boolean;
  /** Literal text, and lists of which each is taken in turn. */
  parts: readonly (string | readonly string[])[];
}

const OPERATORS = ',!&^';

export interface Parsed extends Named {
  terms: readonly Term[];
}

/** Throws `KickError` `usage` that points at the column. `origin`: where it stands, for the message. */
export function parseExpression(text: string, origin: string): Term[] {
  try {
    return parse(text);
  } catch (error) {
    throw error instanceof ExpressionProblem ? pointAt(error, text, origin) : error;
  }
}

/** Calls `then` with each name (group, mask) of a term, each combination of its lists. */
export function eachName({ parts }: Pick<Term, 'parts'>, then: (name: string) => void): void {
  const append = (before: string, at: number): void => {
    const part = parts[at];
    if (part === undefined) then(before);
    else if (typeof part === 'string') append(before + part, at + 1);
    else for (const one of part) append(before + one, at + 1);
  };
  append('', 0);
}

function parse(text: string): Term[] {
  const terms: Term[] = [];
  let at = skipBlanks(text, 0);
  let operator: Operator | undefined;
  let operatorColumn = 1;
  let total = 0;
  while (at < text.length) {
    const char = text[at] ?? '';
    if (OPERATORS.includes(char)) {
      if (operator !== undefined || terms.length === 0) {
        throw new ExpressionProblem(at + 1, `there is nothing before "${char}"`);
      }
      operator = char as Operator;
      operatorColumn = at + 1;
      at = skipBlanks(text, at + 1);
      continue;
    }
    const end = char === '"' ? endOfQuoted(text, at) : endOfTerm(text, at);
    const term = (char === '"' ? parseQuoted : parseTerm)(text.slice(at, end), at + 1);
    const names = term.parts.reduce((count, part) => count * (typeof part === 'string' ? 1 : part.length), 1);
    total += names;
    if (total > MAX_NAMES) {
      const what = names > MAX_NAMES ? `"${term.text}"` : 'what stands up to here';
      throw new ExpressionProblem(at + 1, `${what} means more than ${MAX_NAMES} names`);
    }
    terms.push({ ...term, operator: operator ?? ',' });
    operator = undefined;
    at = skipBlanks(text, end);
  }
  if (operator !== undefined) {
    throw new ExpressionProblem(operatorColumn, `there is nothing after "${operator}"`);
  }
  return terms;
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? '')) at += 1;
  return at;
}

/** Operators and blanks end a term, but not within brackets. */
function endOfTerm(text: string, from: number): number {
  let open = -1;
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? '';
    if (open >= 0) {
      if (char === ']') open = -1;
    } else if (char === '[') open = at;
    else if (OPERATORS.includes(char) || /\s/.test(char)) return at;
  }
  if (open >= 0) throw new ExpressionProblem(open + 1, 'the bracket is not closed');
  return text.length;
}

/** Just after the closing quote, which ends the term. */
function endOfQuoted(text: string, from: number): number {
  const [quoted] = QUOTED.exec(text.slice(from)) ?? [];
  if (quoted === undefined) throw new ExpressionProblem(from + 1, 'the quote is not closed');
  const end = from + quoted.length;
  const next = text[end];
  if (next === undefined || OPERATORS.includes(next) || /\s/.test(next)) return end;
  throw new ExpressionProblem(end + 1, 'a name goes on behind its quotes');
}

/** A backslash stands before a quote or a backslash of the name. */
const QUOTED = /^"(?:[^"\\]|\\.)*"/;

function parseQuoted(text: string, column: number): Omit<Term, 'operator'> {
  const name = text.slice(1, -1).replace(/\\(.)/g, '$1');
  if (!isCertname(name)) throw new ExpressionProblem(column, `${JSON.stringify(name)} is not a certname`);
  return { text, column, kind: 'name', isQuoted: true, parts: [name] };
}

const BARE = /^[a-z0-9._-][a-z0-9._@-]*(?<!\.)$/;

/** Whether a certname stands for itself without quotes. */
export function isBareName(name: string): boolean {
  return BARE.test(name);
}

/** A certname as an expression. */
export function quoteName(name: string): string {
  return isBareName(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`;
}

/** What a name has in it seldom enough for it to be a typing error rather. */
const STRANGE = /[^A-Za-z0-9._*?@-]/u;

function parseTerm(text: string, column: number): Omit<Term, 'operator'> {
  const parts: (string | readonly string[])[] = [];
  let rest = text;
  let at = column;
  for (;;) {
    const open = rest.indexOf('[');
    const literal = open < 0 ? rest : rest.slice(0, open);
    const stray = literal.indexOf(']');
    if (stray >= 0) throw new ExpressionProblem(at + stray, 'the bracket was not opened');
    refuseStrange(literal, at, parts.length === 0);
    if (open < 0) {
      if (literal !== '') parts.push(literal);
      break;
    }
    const close = rest.indexOf(']', open);
    const rangeColumn = at + open + 1;
    const after = rest.slice(close + 1);
    const trailing = /^\d+/.exec(after)?.[0] ?? '';
    if (after.slice(trailing.length).startsWith('[')) {
      throw new ExpressionProblem(at + close + 1 + trailing.length, 'two ranges stand side by side');
    }
    const leading = /\d+$/.exec(literal)?.[0] ?? '';
    const prefix = literal.slice(0, literal.length - leading.length);
    let range = rest.slice(open + 1, close);
    if (trailing !== '') range = withTrailingDigits(range, trailing, rangeColumn);
    if (leading !== '') range = withLeadingDigits(leading, range, rangeColumn);
    if (prefix !== '') parts.push(prefix);
    parts.push(expandRange(range, rangeColumn));
    at += close + 1 + trailing.length;
    rest = after.slice(trailing.length);
  }
  return { text, column, ...kindOf(parts) };
}

/** Certnames and masks are made of few characters; a group's name (after its @) may have any other. */
function refuseStrange(literal: string, column: number, isFirst: boolean): void {
  if (isFirst && literal.startsWith('@')) return;
  const strange = STRANGE.exec(literal);
  if (strange === null) return;
  const unless = isCertname(strange[0].toLowerCase()) ? ' without quotes' : '';
  const port = strange[0] === ':' ? ' (a port is given by --port, or by a uri in inventory.yaml)' : '';
  throw new ExpressionProblem(
    column + strange.index,
    `${JSON.stringify(strange[0])} cannot be in a certname${unless}${port}`,
  );
}

function kindOf(parts: Term['parts']): Pick<Term, 'kind' | 'parts'> {
  const [first, ...rest] = parts;
  if (typeof first === 'string' && first.startsWith('@')) {
    return { kind: 'group', parts: [first.slice(1), ...rest] };
  }
  const isMask = parts.some((part) => typeof part === 'string' && /[*?]/.test(part));
  return { kind: isMask ? 'glob' : 'name', parts };
}
