/**
 * The language that names hosts is ClusterShell's (NodeSet.py): `web[01-20,30]!web7`,
 * `@dmz&*.example.com`. Operators have no precedence and apply from left to right. Blanks between two
 * names also mean union, so that a quoted list works. A certname in quotes, `"web 1!"`, stands for itself.
 */
import { isCertname } from '../../protocol/names.ts';
import { clip } from '../../util/text.ts';
import { type Allowance, isUsedUp, MAX_LOOKUPS, MAX_NAMES, wholeAllowance } from './allowance.ts';
import { ExpressionProblem, pointAt } from './problem.ts';
import { expandRange, withLeadingDigits, withTrailingDigits } from './range.ts';
import { endOfQuotes, patternAt, wordEnds } from './words.ts';

/** An expression and where it comes from, for messages: `argument 2`, `nodes.txt:3`. An empty one names no hosts. */
export interface Named {
  text: string;
  origin: string;
}

/** Union, difference, intersection, symmetric difference. */
export type Operator = ',' | '!' | '&' | '^';

export interface Term {
  /** Joins it to everything before it. */
  operator: Operator;
  /** As typed. */
  text: string;
  /** Where in the expression, from 1. */
  column: number;
  /** What it names: hosts, groups, or hosts that match a mask or a regular expression. */
  kind: 'name' | 'group' | 'glob' | 'pattern';
  /** A quoted name is neither a short name nor an alias. */
  isQuoted?: boolean;
  /** Literal text, and lists whose items are taken in turn. */
  parts: readonly (string | readonly string[])[];
}

const OPERATORS = ',!&^';

export interface Parsed extends Named {
  terms: readonly Term[];
}

/**
 * Throws `KickError` `usage` that points at the column; `origin` is for the message. What it means is counted down from
 * `allowance`, which defaults to a whole one.
 */
export function parseExpression(text: string, origin: string, allowance = wholeAllowance()): Term[] {
  try {
    return parse(text, allowance);
  } catch (error) {
    throw error instanceof ExpressionProblem ? pointAt(error, text, origin) : error;
  }
}

/** Calls `then` with each name (or group, or mask) of a term: each combination of its lists. */
export function eachName({ parts }: Pick<Term, 'parts'>, then: (name: string) => void): void {
  const append = (before: string, at: number): void => {
    const part = parts[at];
    if (part === undefined) then(before);
    else if (typeof part === 'string') append(before + part, at + 1);
    else for (const one of part) append(before + one, at + 1);
  };
  append('', 0);
}

function parse(text: string, allowance: Allowance): Term[] {
  const terms: Term[] = [];
  let at = skipBlanks(text, 0);
  let operator: Operator | undefined;
  let operatorColumn = 1;
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
    const { end, term } = termAt(text, at, operator ?? ',');
    countDown(allowance, term);
    terms.push(term);
    operator = undefined;
    at = skipBlanks(text, end);
  }
  if (operator !== undefined) {
    throw new ExpressionProblem(operatorColumn, `there is nothing after "${operator}"`);
  }
  return terms;
}

/** How many names (or groups, or masks) a term means. */
function countOf({ parts }: Pick<Term, 'parts'>): number {
  return parts.reduce((count, part) => count * (typeof part === 'string' ? 1 : part.length), 1);
}

function countDown(allowance: Allowance, term: Term): void {
  const count = countOf(term);
  const isName = term.kind === 'name';
  const [most, what] = isName ? [MAX_NAMES, 'names'] : [MAX_LOOKUPS, 'groups or masks'];
  if (isName) allowance.names -= count;
  else allowance.lookups -= count;
  if (!isUsedUp(allowance)) return;
  const who = count > most ? `"${clip(term.text, 80)}"` : 'everything up to here';
  throw new ExpressionProblem(term.column, `${who} means more than ${most} ${what}`);
}

/** Each term is made once, whole: there may be tens of thousands, and to copy each takes longer than to read it. */
function termAt(text: string, at: number, operator: Operator): { end: number; term: Term } {
  const char = text[at];
  const column = at + 1;
  if (char === '/') {
    const { end, pattern } = patternAt(text, at, (behind) => isEndOfTerm(text, behind));
    return { end, term: { operator, text: text.slice(at, end), column, kind: 'pattern', parts: [pattern] } };
  }
  const end = char === '"' ? endOfQuoted(text, at) : endOfTerm(text, at);
  const typed = { operator, text: text.slice(at, end), column };
  return { end, term: char === '"' ? parseQuoted(typed) : parseTerm(typed) };
}

type Typed = Pick<Term, 'operator' | 'text' | 'column'>;

function isEndOfTerm(text: string, at: number): boolean {
  const next = text[at];
  return next === undefined || OPERATORS.includes(next) || /\s/.test(next);
}

function skipBlanks(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at] ?? '')) at += 1;
  return at;
}

/** Operators and blanks end a term, except inside brackets. */
function endOfTerm(text: string, from: number): number {
  const { end, open } = wordEnds(text, from, OPERATORS);
  if (open !== undefined) throw new ExpressionProblem(open + 1, 'the bracket is not closed');
  return end;
}

/** Just after the closing quote, which ends the term. */
function endOfQuoted(text: string, from: number): number {
  const end = endOfQuotes(text, from);
  if (end === undefined) throw new ExpressionProblem(from + 1, 'the quote is not closed');
  if (isEndOfTerm(text, end)) return end;
  throw new ExpressionProblem(end + 1, 'a name goes on behind its quotes');
}

function parseQuoted({ operator, text, column }: Typed): Term {
  const name = text.slice(1, -1).replace(/\\(.)/g, '$1');
  if (!isCertname(name))
    throw new ExpressionProblem(column, `${JSON.stringify(clip(name, 80))} is not a certname`);
  return { operator, text, column, kind: 'name', isQuoted: true, parts: [name] };
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

/** Characters so rare in names that they are more likely typos. */
const STRANGE = /[^A-Za-z0-9._*?@-]/u;

function parseTerm({ operator, text, column }: Typed): Term {
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
      refuseMuch(parts, text, column);
      break;
    }
    const close = rest.indexOf(']', open);
    const rangeColumn = at + open + 1;
    const after = rest.slice(close + 1);
    const trailing = /^\d+/.exec(after)?.[0] ?? '';
    if (after.slice(trailing.length).startsWith('[')) {
      throw new ExpressionProblem(at + close + 1 + trailing.length, 'two ranges stand side by side');
    }
    const leading = literal.slice(digitsBegin(literal));
    const prefix = literal.slice(0, literal.length - leading.length);
    let range = rest.slice(open + 1, close);
    if (trailing !== '') range = withTrailingDigits(range, trailing, rangeColumn);
    if (leading !== '') range = withLeadingDigits(leading, range, rangeColumn);
    if (prefix !== '') parts.push(prefix);
    parts.push(expandRange(range, rangeColumn));
    // Before the next one: all of them may fit in no memory.
    refuseMuch(parts, text, column);
    at += close + 1 + trailing.length;
    rest = after.slice(trailing.length);
  }
  const [first] = parts;
  if (typeof first === 'string' && first.startsWith('@')) {
    return { operator, text, column, kind: 'group', parts: [first.slice(1), ...parts.slice(1)] };
  }
  return { operator, text, column, kind: isMask(parts) ? 'glob' : 'name', parts };
}

/** Longer than any name of a host or a group: each combination is as long as its shortest parts. */
const MAX_NAME = 1024;

function refuseMuch(parts: Term['parts'], text: string, column: number): void {
  const length = parts.reduce((sum, part) => sum + (typeof part === 'string' ? part.length : 1), 0);
  if (length > MAX_NAME) throw new ExpressionProblem(column, `"${clip(text, 80)}" is longer than any name`);
  if (countOf({ parts }) > MAX_NAMES)
    throw new ExpressionProblem(column, `"${clip(text, 80)}" means more than ${MAX_NAMES} names`);
}

/** Where the digits at the end of a text begin. */
function digitsBegin(text: string): number {
  let at = text.length;
  while (at > 0 && /\d/.test(text[at - 1] ?? '')) at -= 1;
  return at;
}

/** Certnames and masks use few characters; a group's name (after its @) may use any. */
function refuseStrange(literal: string, column: number, isFirst: boolean): void {
  if (isFirst && literal.startsWith('@')) return;
  const strange = STRANGE.exec(literal);
  if (strange === null) return;
  const unless = isCertname(strange[0].toLowerCase()) ? ' without quotes' : '';
  const [ending] = /^:\d*$/.exec(literal.slice(strange.index)) ?? [];
  if (ending !== undefined) {
    const problem = `a certname has no port: leave out "${ending}" (--port, or a uri in inventory.yaml, is where kick agent listens)`;
    throw new ExpressionProblem(column + strange.index, problem);
  }
  const port = strange[0] === ':' ? ' (a port is given by --port, or by a uri in inventory.yaml)' : '';
  throw new ExpressionProblem(
    column + strange.index,
    `${JSON.stringify(strange[0])} cannot be in a certname${unless}${port}`,
  );
}

const isMask = (parts: Term['parts']) => parts.some((part) => typeof part === 'string' && /[*?]/.test(part));
