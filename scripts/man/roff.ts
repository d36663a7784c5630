/** man(7): escaping for roff, and the few macros that our pages need. */
import type { Block } from '../../src/cli/help/topic.ts';

export interface Page {
  name: string;
  section: 1 | 5 | 8;
  /** What it is, in one line. */
  title: string;
  version: string;
  /** YYYY-MM-DD. */
  date: string;
  parts: readonly Part[];
}

export interface Part {
  heading: string;
  /** Lines of roff. */
  lines: readonly string[];
}

/** The whole page. */
export function pageText({ name, section, title, version, date, parts }: Page): string {
  const all = [{ heading: 'NAME', lines: [`${escaped(name)} \\- ${escaped(title)}`] }, ...parts];
  const head = `.TH ${quoted(name.toUpperCase())} ${section} ${date} ${quoted(`kick ${version}`)} ${quoted('kick manual')}`;
  // Neither hyphenated nor justified: names and options stay as they are typed.
  const lines = [
    head,
    '.nh',
    '.ad l',
    ...all.flatMap(({ heading, lines }) => [`.SH ${quoted(heading)}`, ...lines]),
  ];
  return `${lines.filter(isNeeded).join('\n')}\n`;
}

/** A heading starts a paragraph by itself. */
const isNeeded = (line: string, index: number, lines: readonly string[]) =>
  line !== '.PP' || !/^\.S[HS] /.test(lines[index - 1] ?? '');

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  "'": '\\(aq',
  '`': '\\(ga',
  '^': '\\(ha',
  '~': '\\(ti',
};

/** Escapes text, so that nothing in it is a request or an escape. */
export function escaped(text: string): string {
  return text
    .replace(/[\\\-'`^~]/g, (char) => SPECIAL[char] ?? char)
    .replace(
      /[^\0-\x7f]/gu,
      (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`,
    )
    .replace(/^\./gm, '\\&.');
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`;
}

export const bold = (text: string) => `\\fB${escaped(text)}\\fR`;

/** Text that roff fills by itself, in short lines. */
export function filled(text: string): string[] {
  return text.match(/\S(?:.{0,68}\S)?(?=\s|$)|\S+/g)?.map(escaped) ?? [];
}

export const paragraph = (text: string) => ['.PP', ...filled(text)];

export const subheading = (text: string) => `.SS ${quoted(text)}`;

/** A term, in bold, and what it means. */
export const term = (name: string, means: string) => ['.TP', bold(name), ...filled(means)];

/** Lines as they are. */
export function verbatim(text: string): string[] {
  return [
    '.PP',
    '.nf',
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => (line === '' ? '.sp' : `\\&${escaped(line)}`)),
    '.fi',
  ];
}

/** A block of a topic of `kick help`. */
export function blockLines(block: Block): string[] {
  if (typeof block === 'string') return paragraph(block);
  if ('terms' in block) return block.terms.flatMap(([name, means]) => term(name, means));
  return block.examples.flatMap(([command, what]) => term(command, what));
}
