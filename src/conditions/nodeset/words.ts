/**
 * The words of a line of names, character by character: a pattern that tries a closing bracket for each opening one takes
 * quadratic time for `[[[[…`, and one that goes through a quoted name of some megabytes overflows V8's stack.
 */

import { ExpressionProblem } from './problem.ts';

export interface WordEnds {
  /** Just after the word. */
  end: number;
  /** Where a bracket is opened that is never closed. */
  open?: number;
}

/** Where the word at `from` ends: at a blank or one of `stops`, except inside brackets. */
export function wordEnds(text: string, from: number, stops: string): WordEnds {
  for (let at = from; at < text.length; at++) {
    const char = text[at] ?? '';
    if (char === '[') {
      const close = text.indexOf(']', at);
      if (close < 0) return { end: text.length, open: at };
      at = close;
    } else if (stops.includes(char) || isBlank(char)) return { end: at };
  }
  return { end: text.length };
}

/** Just after the quote that closes the one at `from`; undefined if it is not closed. A backslash protects what follows it. */
export function endOfQuotes(text: string, from: number): number | undefined {
  for (let at = from + 1; at < text.length; at++) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) return at + 1;
    if (char === BACKSLASH) at += 1;
  }
  return undefined;
}

/** The words of a text, and what stands between them: blanks and `stops`. */
export function* wordsIn(text: string, stops: string): Generator<{ text: string; isWord: boolean }> {
  let between = 0;
  for (let at = 0; at < text.length; ) {
    const { end } = wordEnds(text, at, stops);
    if (end === at) {
      at += 1;
      continue;
    }
    if (between < at) yield { text: text.slice(between, at), isWord: false };
    yield { text: text.slice(at, end), isWord: true };
    at = end;
    between = end;
  }
  if (between < text.length) yield { text: text.slice(between), isWord: false };
}

/** Whether a character is a blank; nearly all are not, and are seen to be none without a pattern. */
function isBlank(char: string): boolean {
  return (char <= ' ' || char > '\x7f') && /\s/.test(char);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

// ---------------------------------------------------------------- /regex/

/** Maximum characters. */
const MAX_PATTERN = 500;

/** The regular expression that begins at `from`, as of `mco -I /regex/`, and where it ends. Throws `ExpressionProblem`. */
export function patternAt(
  text: string,
  from: number,
  isEnd: (at: number) => boolean,
): { end: number; pattern: string } {
  const close = closingSlash(text, from);
  const column = from + 1;
  if (close < 0) throw new ExpressionProblem(column, 'the regular expression is not closed by "/"');
  const end = close + 1;
  if (!isEnd(end)) throw new ExpressionProblem(end + 1, 'a regular expression goes on behind its "/"');
  const pattern = text.slice(from + 1, close);
  if (pattern === '') throw new ExpressionProblem(column, 'the regular expression is empty (all hosts: @*)');
  if (pattern.length > MAX_PATTERN)
    throw new ExpressionProblem(column, `the regular expression is longer than ${MAX_PATTERN} characters`);
  try {
    new RegExp(pattern);
  } catch (error) {
    throw new ExpressionProblem(column, error instanceof Error ? error.message : 'not a regular expression');
  }
  return { end, pattern };
}

/** A backslash protects what follows it. */
function closingSlash(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '/') return at;
    if (text[at] === '\\') at += 1;
  }
  return -1;
}
