/**
 * The properties of a mapping in Puppet's report, `key: value` over however many lines, each kept up to a length:
 * what is cut is closed, so that all of them are YAML still.
 */
import { MAX_LINE } from './report-lines.ts';

export interface PropertiesOptions {
  /** Characters of one property. */
  maxLength: number;
  /** Properties; those that come after them are left out. */
  maxCount: number;
}

export interface Properties {
  /** The first line of one that is wanted. */
  begin(line: string): void;
  /** Another line of the latest; of one that is not wanted it is left out. */
  add(line: string): void;
  /** What follows is not wanted. */
  skip(): void;
  /** The text of each; and none are left. */
  take(): string[];
}

export function createProperties({ maxLength, maxCount }: PropertiesOptions): Properties {
  let texts: string[] = [];
  let lines: string[] = [];
  let length = 0;
  let isTaking = false;

  function keep(line: string): void {
    length += line.length + 1;
    lines.push(line);
    if (length > maxLength || line.length >= MAX_LINE) isTaking = false;
  }

  function finish(): void {
    const [first] = lines;
    if (first === undefined) return;
    if (isTaking) texts.push(lines.length === 1 ? first : lines.join('\n'));
    else texts.push(closed(lines.join('\n').slice(0, maxLength)));
    lines = [];
  }

  return {
    begin(line) {
      if (lines.length > 0) finish();
      isTaking = texts.length < maxCount;
      length = 0;
      if (isTaking) keep(line);
    },
    add(line) {
      if (isTaking) keep(line);
    },
    skip() {
      if (lines.length > 0) finish();
      isTaking = false;
    },
    take() {
      finish();
      const taken = texts;
      texts = [];
      isTaking = false;
      return taken;
    },
  };
}

/** Up to the quote that a value begins with, if it does. */
const QUOTED = /^ *(?:- +)*["']?\w+["']? *: +(?:[!&]\S* +)*(["'])/;
const INSIDE = {
  '"': /(?:[^"\\]|\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[^xuU]))*/y,
  "'": /(?:[^']|'')*/y,
} as const;

/** A property that was cut, with the quote that it lacks, or without its last, broken line. */
function closed(text: string): string {
  const start = QUOTED.exec(text);
  if (start === null) {
    const isNested = /:(?: +[!&]\S*)*$/.test(text.slice(0, Math.max(0, text.indexOf('\n'))));
    return isNested ? text.slice(0, text.lastIndexOf('\n')) : text;
  }
  const quote = start[1] === '"' ? '"' : "'";
  const inside = INSIDE[quote];
  inside.lastIndex = start[0].length;
  inside.exec(text);
  return `${text.slice(0, inside.lastIndex)}${quote}`;
}

/** Psych's other line breaks: they stand as they are in its text, but end a line. */
const OTHER_BREAKS = /[\u0085\u2028\u2029]/;

/**
 * The text of properties at `indent` in which only `\n` ends a line: Psych breaks lines at three more characters, and
 * indents what follows. What follows without it is the next property.
 */
export function plainBreaks(text: string, indent: number): string {
  if (!OTHER_BREAKS.test(text)) return text;
  const inner = indent + 2;
  return text
    .replace(/^(?=[\u0085\u2028\u2029])/gm, ' '.repeat(inner))
    .replace(
      /([\u0085\u2028\u2029])( *)(?=([^ \n\u0085\u2028\u2029]?))/g,
      (_all, end: string, spaces: string, next: string) =>
        spaces.length < inner && next !== '' ? `${end}\n${spaces}` : `${end}${spaces.slice(inner)}`,
    );
}
