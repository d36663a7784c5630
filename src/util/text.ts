/** Makes text from elsewhere harmless where it leaves for people, and bounded. */

/** Found in a fraction of the time: nearly all text has none. */
const UNUSUAL = /[^\x20-\x7e]/;
const UNUSUAL_IN_LINES = /[^\x20-\x7e\n]/;

/**
 * What acts on a terminal, or is not seen: controls (C0, DEL, C1), format characters (bidi marks, zero width), lone surrogates,
 * line separators, and what Unicode calls ignorable. Variation selectors stay: emoji are written with them.
 */
const UNSAFE = /(?![\ufe00-\ufe0f])[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{DI}]/gu;

function escapeOne(char: string): string {
  if (char === '\t') return ' ';
  const code = char.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** Returns one line of text, with everything escaped that is unsafe; line ends as well. */
export function safeText(text: string): string {
  return UNUSUAL.test(text) ? text.replace(UNSAFE, escapeOne) : text;
}

/** The same, but line ends stay. */
export function safeLines(text: string): string {
  if (!UNUSUAL_IN_LINES.test(text)) return text;
  return text.replace(UNSAFE, (char) => (char === '\n' ? char : escapeOne(char)));
}

/** Sequences that set a colour or set it back (SGR), as report/paint.ts makes them: none that hides text, or blinks. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: such sequences start with one
const COLOURS = /(\u001b\[(?:0|2|3[1-6])m)/;

/** The same, but colours stay as well. */
export function safeColoured(text: string): string {
  if (!UNUSUAL_IN_LINES.test(text)) return text;
  return text
    .split(COLOURS)
    .map((part, index) => (index % 2 === 1 ? part : safeLines(part)))
    .join('');
}

/** JSON in which everything unsafe is written as `\uXXXX`; it means the same. `indent`: blanks per level. */
export function safeJson(value: unknown, indent?: number): string {
  return safeJsonText(JSON.stringify(value, null, indent));
}

/** The same for JSON that is text already, such as a line of a log. */
export function safeJsonText(json: string): string {
  if (!UNUSUAL_IN_LINES.test(json)) return json;
  return json.replace(UNSAFE, (char) => (char === '\n' ? char : unicodeEscape(char)));
}

/** UTF-16 unit by unit, as JSON writes it. */
function unicodeEscape(char: string): string {
  const units = Array.from({ length: char.length }, (_, index) => char.charCodeAt(index));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** Cuts text to `max` UTF-16 units, ending in an ellipsis. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, Math.max(0, max - 1));
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** Cuts the middle out of each line that is longer than `max` UTF-16 units: what is at stake stands at either end. */
export function clipLines(text: string, max: number): string {
  if (text.length <= max) return text;
  return text
    .split('\n')
    .map((line) => {
      if (line.length <= max) return line;
      const tail = line.slice(line.length - Math.floor(max / 4));
      return clip(line, max - tail.length) + tail.replace(/^[\udc00-\udfff]/, '');
    })
    .join('\n');
}

/** `1 host`, `2 hosts`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** How many characters are shown around a column. */
const SHOWN = 100;

/** The text around a column, from 1, and a caret below it: two lines, indented. */
export function pointedAt(text: string, column: number): string {
  const from = text.length <= SHOWN ? 0 : Math.max(0, column - SHOWN / 2);
  // Every character takes one column.
  const shown = text
    .slice(from, from + SHOWN)
    .replace(/\s/g, ' ')
    .replace(/\p{C}/gu, '?');
  return `  ${shown}\n  ${' '.repeat(column - 1 - from)}^`;
}
