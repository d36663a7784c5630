/**
 * The text between brackets: `01-20,30`, `1-9/2`. The rules, including odd ones, are those of
 * ClusterShell 1.9 (RangeSet.py); a test compares us with the real program.
 */
import { clip } from '../../util/text.ts';
import { MAX_NAMES } from './allowance.ts';
import { ExpressionProblem } from './problem.ts';

/** Maximum number of digits of an index, so that it is exact as a number. */
const MAX_DIGITS = 15;

/** Maximum length of a span: three such numbers and some blanks. */
const MAX_SPAN = 100;

interface Span {
  start: number;
  stop: number;
  step: number;
  /** Width of zero padding; 0: none. */
  pad: number;
}

/** Returns the indices of a range, without duplicates, as written in names. Throws `ExpressionProblem` at `column`. */
export function expandRange(text: string, column: number): string[] {
  const [first = '', ...more] = text.split(',');
  const start = expandPart(first, column, 0);
  // A single span has no duplicates.
  if (more.length === 0) return start;
  const indices = new Set(start);
  let made = start.length;
  let at = column + first.length + 1;
  for (const part of more) {
    const next = expandPart(part, at, made);
    for (const index of next) indices.add(index);
    made += next.length;
    at += part.length + 1;
  }
  return [...indices];
}

/** `before`: how many names there are already, duplicates included. */
function expandPart(text: string, column: number, before: number): string[] {
  const { start, stop, step, pad } = parseSpan(text.trim(), column);
  if ((stop - start) / step + before >= MAX_NAMES) {
    throw new ExpressionProblem(column, `"${text}" means more than ${MAX_NAMES} names`);
  }
  const indices: string[] = [];
  for (let index = start; index <= stop; index += step) indices.push(String(index).padStart(pad, '0'));
  return indices;
}

function parseSpan(text: string, column: number): Span {
  const fail = (message: string) => new ExpressionProblem(column, message);
  if (text === '') throw fail('a range is empty');
  if (text.length > MAX_SPAN)
    throw fail(`"${clip(text, 30)}" is too long for a range like 1-9, 01-20 or 1-9/2`);
  const match = /^(-?)\s*(\d+)(?:\s*-\s*(-?)\s*(\d+))?\s*(?:\/\s*(\d+)\s*)?$/.exec(text);
  if (match === null) throw fail(`"${text}" is not a range like 1-9, 01-20 or 1-9/2`);
  const [, startSign, first = '', endSign = '', last, stepText] = match;
  const end = last ?? first;
  if (Math.max(first.length, end.length, stepText?.length ?? 0) > MAX_DIGITS)
    throw fail('a number is too long');
  const start = Number(first) * (startSign === '-' ? -1 : 1);
  const stop = last === undefined ? start : Number(end) * (endSign === '-' ? -1 : 1);
  const step = Number(stepText ?? 1);
  const isPadded = isZeroPadded(first);
  // ClusterShell takes an end of 00 as a plain 0.
  if ((isPadded || (stop !== 0 && isZeroPadded(end))) && first.length !== end.length) {
    throw fail(`"${text}" is padded with zeros to two different lengths`);
  }
  if (last === undefined && step !== 1) throw fail('a step needs a range');
  if (isPadded && startSign === '-') throw fail('negative numbers are not padded with zeros');
  if (step < 1) throw fail('the step is 0');
  if (start > stop) throw fail(`"${text}" runs backwards`);
  return { start, stop, step, pad: isPadded ? first.length : 0 };
}

const isZeroPadded = (digits: string) => digits.length > 1 && digits.startsWith('0');

/**
 * As in ClusterShell, the digits before a bracket belong to each bound of each contiguous range:
 * `web1[8-12]` is 18-112.
 */
export function withLeadingDigits(digits: string, range: string, column: number): string {
  refuseLong(digits, column);
  return foldIndices(expandRange(range, column))
    .map((part) =>
      part
        .split('-')
        .map((bound) => digits + bound)
        .join('-'),
    )
    .join(',');
}

/** `web[1-3]5` is 15, 25, 35: the digits after the bracket belong to each bound and imply a step. */
export function withTrailingDigits(range: string, digits: string, column: number): string {
  refuseLong(digits, column);
  if (range.includes('/')) throw new ExpressionProblem(column, 'digits follow a range with a step');
  const parts = range.split(',').map((part) => {
    const bounds = part.split('-').map((bound) => bound.trim() + digits);
    return bounds.length > 1 ? `${bounds.join('-')}/1${'0'.repeat(digits.length)}` : bounds.join('');
  });
  return parts.join(',');
}

/** They are copied to each bound. */
function refuseLong(digits: string, column: number): void {
  if (digits.length > MAX_DIGITS) throw new ExpressionProblem(column, 'a number is too long');
}

/** Joins contiguous indices, shortest first: `['1', '2', '03']` becomes `['1-2', '03']`. */
export function foldIndices(indices: readonly string[]): string[] {
  const hasNegative = indices.some((index) => index.startsWith('-'));
  const sorted = [...indices].sort(hasNegative ? byNumber : byLengthThenText);
  const folded: string[] = [];
  let first: string | undefined;
  let last = '';
  let lastNumber = 0;
  let isPadded = false;
  const flush = () => {
    if (first !== undefined) folded.push(first === last ? first : `${first}-${last}`);
  };
  for (const index of sorted) {
    const number = Number(index);
    // 08-10 is one range; 9-10 too; 9-010 is not.
    const isAlike: boolean = isPadded ? index.length === last.length : !isZeroPadded(index);
    if (first === undefined || number !== lastNumber + 1 || !isAlike) {
      // In ClusterShell, what follows a single padded index has its length, too: 011,915-999,1000.
      isPadded = isZeroPadded(index) || (isPadded && isAlike && first === last);
      flush();
      first = index;
    }
    last = index;
    lastNumber = number;
  }
  flush();
  return folded;
}

function byLengthThenText(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : Number(a > b));
}

const byNumber = (a: string, b: string) => Number(a) - Number(b);
