/**
 * The properties of a mapping in Puppet's report: `key: value`, over any number of lines, each up to a maximum length.
 * Truncated values are closed, so that the result is still valid YAML.
 */
import { MAX_LINE } from './report-lines.ts';

export interface PropertiesOptions {
  /** Maximum characters of a property. */
  maxLength: number;
  /** Maximum number of properties; further ones are left out. */
  maxCount: number;
}

export interface Properties {
  /** The first line of a wanted property. */
  begin(line: string): void;
  /** A further line of the latest property; ignored if that is unwanted. */
  add(line: string): void;
  /** The next lines are unwanted. */
  skip(): void;
  /** Removes and returns the texts of all properties. */
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

/** Matches up to the opening quote of a quoted value. */
const QUOTED = /^ *(?:- +)*["']?\w+["']? *: +(?:[!&]\S* +)*(["'])/;
const INSIDE = {
  '"': /(?:[^"\\]|\\(?:x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|[^xuU]))*/y,
  "'": /(?:[^']|'')*/y,
} as const;

/** Completes a truncated property: adds the missing quote, or drops the last, partial line. */
function closed(text: string): string {
  const start = QUOTED.exec(text);
  if (start === null) {
    const first = text.slice(0, Math.max(0, text.indexOf('\n')));
    return isNested(first) ? text.slice(0, text.lastIndexOf('\n')) : text;
  }
  const quote = start[1] === '"' ? '"' : "'";
  const inside = INSIDE[quote];
  inside.lastIndex = start[0].length;
  inside.exec(text);
  return `${text.slice(0, inside.lastIndex)}${quote}`;
}

/** Whether a line ends with a key, perhaps with tags and anchors behind it; seen from its end, since there may be many. */
function isNested(line: string): boolean {
  for (let rest = line; rest !== ''; ) {
    if (rest.endsWith(':')) return true;
    const blank = rest.lastIndexOf(' ');
    if (blank < 0 || !/^[!&]\S*$/.test(rest.slice(blank + 1))) return false;
    rest = rest.slice(0, blank).trimEnd();
  }
  return false;
}

/** Further characters that Psych treats as line breaks. */
const OTHER_BREAKS = /[\u0085\u2028\u2029]/;

/**
 * Makes `\n` the only line break in properties at `indent`: Psych breaks lines at three more characters and indents what
 * follows. Anything that follows without indentation is the next property.
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
