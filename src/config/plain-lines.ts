/**
 * Long lists of names in a YAML file, read without a YAML parser: a site's inventory is 50,000 lines
 * like `  - web1.example.com`. Each stretch of such lines is replaced by a mark. If YAML reads the mark as
 * an item of a list, so are the lines; if not (inside a quoted text, say), YAML reads the whole text.
 */

/** Fewer lines are not worth searching for their mark. */
const MIN_LINES = 100;

const MARK = 'kick-plain-lines.';

export interface Shortened {
  /** With a mark for each list. */
  text: string;
  lists: readonly (readonly string[])[];
}

/** Replaces long lists of plain names by marks; undefined if there are none. */
export function takePlainLines(text: string, minLines = MIN_LINES): Shortened | undefined {
  if (text.includes(MARK)) return undefined;
  const lists: string[][] = [];
  let short = '';
  let kept = 0;
  for (let at = 0; at < text.length; ) {
    const { names, end } = linesFrom(text, at);
    if (names.length >= minLines) {
      const indent = text.slice(at, text.indexOf('-', at));
      short += `${text.slice(kept, at)}${indent}- ${MARK}${lists.length}\n`;
      kept = end;
      lists.push(names);
    }
    at = end;
  }
  return lists.length === 0 ? undefined : { text: short + text.slice(kept), lists };
}

/** Puts the lists in the place of their marks. Returns false, with `value` unusable, if a mark is not exactly one item of one list. */
export function putPlainLines(value: unknown, lists: Shortened['lists']): boolean {
  const marks = new Map(lists.map((list, index) => [`${MARK}${index}`, list]));
  // With YAML aliases, one list may be in two places.
  const seen = new Set<object>();
  const visit = (one: unknown): void => {
    if (typeof one !== 'object' || one === null || seen.has(one)) return;
    seen.add(one);
    if (Array.isArray(one)) visitList(one);
    else for (const inner of Object.values(one)) visit(inner);
  };
  const visitList = (list: unknown[]): void => {
    if (!list.some((item) => marks.has(item as string))) {
      list.forEach(visit);
      return;
    }
    for (const item of list.splice(0)) {
      const names = marks.get(item as string);
      if (names === undefined) {
        list.push(item);
        visit(item);
      } else
        for (let from = 0; from < names.length; from += 1000) list.push(...names.slice(from, from + 1000));
      marks.delete(item as string);
    }
  };
  visit(value);
  return marks.size === 0;
}

/**
 * Starts with letters and continues as a certname may, so that it is neither true, null nor a number in
 * any version of YAML.
 */
const NAME = /[A-Za-z]+[0-9._-][A-Za-z0-9._-]*\n/y;

const SPACE = 0x20;
const DASH = 0x2d;

/** The names of the similar lines from `at` on, and where they end; skips at least one line. */
function linesFrom(text: string, at: number): { names: string[]; end: number } {
  const first = dashAt(text, at);
  const names: string[] = [];
  let end = at;
  for (let dash = first; dash >= 0 && dash - end === first - at; dash = dashAt(text, end)) {
    NAME.lastIndex = dash + 2;
    if (!NAME.test(text)) break;
    names.push(text.slice(dash + 2, NAME.lastIndex - 1));
    end = NAME.lastIndex;
  }
  if (names.length > 0) return { names, end };
  const newline = text.indexOf('\n', at);
  return { names, end: newline < 0 ? text.length : newline + 1 };
}

/** Where a line's item begins, after blanks; -1 if there is none. */
function dashAt(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at += 1;
  return text.charCodeAt(at) === DASH && text.charCodeAt(at + 1) === SPACE ? at : -1;
}
