/**
 * The words of a line of names, character by character: a pattern that tries a closing bracket for each opening one takes
 * quadratic time for `[[[[…`, and one that goes through a quoted name of some megabytes overflows V8's stack.
 */

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
