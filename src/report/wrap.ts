/** Lines made to fit a terminal, broken between words; what goes on is indented. */
import { columnsOf, piecesOf } from '../util/columns.ts';

export interface WrapOptions {
  columns: number;
  /** Blanks in front of what goes on; defaults to where the line's last column of text begins. */
  indent?: number;
  /** Lines; the last one ends in an ellipsis if there is more. */
  maxLines?: number;
}

/** Columns of a long word that are worth beginning it on a line that is nearly full. */
const LEAST_HEAD = 8;

/** Every line of a text. One column stays free, as in the live area. */
export function wrapText(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => wrapLine(line, { columns: columns - 1 }))
    .join('\n');
}

export function wrapLine(line: string, { columns, indent, maxLines }: WrapOptions): string[] {
  const width = Math.max(1, columns);
  if (columnsOf(line) <= width) return [line];
  const hang = Math.min(indent ?? hangOf(line, width), width - 1);
  const lines: string[] = [];
  let [current, used] = ['', 0];
  const next = () => {
    lines.push(current.trimEnd());
    [current, used] = [' '.repeat(hang), hang];
  };
  for (const [word] of line.matchAll(/ +|[^ ]+/g)) {
    const isBlank = word.startsWith(' ');
    // Blanks at a break are not needed.
    if (isBlank && lines.length > 0 && used <= hang) continue;
    let [rest, size] = [word, columnsOf(word)];
    const fitsBelow = size <= width - hang || width - used < LEAST_HEAD;
    if (used + size > width && !isBlank && used > hang && fitsBelow) next();
    while (used + size > width) {
      const isEmpty = lines.length > 0 && used === hang;
      const [head, tail] = splitAt(rest, { room: width - used, least: isEmpty ? 1 : 0 });
      current += head;
      next();
      rest = isBlank ? '' : tail;
      // Not measured anew: a word of thousands of characters goes over many lines.
      size = isBlank ? 0 : size - columnsOf(head);
    }
    current += rest;
    used += size;
  }
  if (current.trim() !== '') lines.push(current.trimEnd());
  return maxLines === undefined || lines.length <= maxLines ? lines : cutTo(lines, maxLines, width);
}

function cutTo(lines: readonly string[], maxLines: number, width: number): string[] {
  const last = lines[maxLines - 1] ?? '';
  const [head] = columnsOf(last) < width ? [last] : splitAt(last, { room: width - 1, least: 0 });
  return [...lines.slice(0, maxLines - 1), `${head.trimEnd()}…`];
}

/** Columns in which text is worth reading, and of a label in front of it: `  12 hosts: `. */
const LEAST_BESIDE = 24;
const LONGEST_LABEL = 20;

/** Where text goes on: below the last column of it (two blanks between them) that leaves some room, or behind a label. */
function hangOf(line: string, width: number): number {
  const [label = ''] = /^ *(?:\S+ )?\S+: +(?=\S)/.exec(line) ?? [];
  const isShort = label !== '' && columnsOf(label) <= LONGEST_LABEL && width >= 2 * LEAST_BESIDE;
  let hang = isShort ? columnsOf(label) : columnsOf(/^ */.exec(line)?.[0] ?? '') + 2;
  for (const { index, 0: gap } of line.matchAll(/(?<=\S) {2,}(?=\S)/g)) {
    const begin = columnsOf(line.slice(0, index + gap.length));
    if (begin > width * 0.55 || width - begin < LEAST_BESIDE) break;
    hang = begin;
  }
  return Math.min(hang, Math.floor(width / 2));
}

/**
 * A word that is longer than the room for it, in two: behind a sign that stands between its parts, if there is one. The
 * first part has at least `least` characters.
 */
function splitAt(
  word: string,
  { room, least }: { room: number; least: number },
): [head: string, tail: string] {
  let [columns, count, end, mark] = [0, 0, 0, 0];
  for (const piece of piecesOf(word)) {
    columns += piece.columns;
    count += 1;
    if (columns > room && count > least) break;
    end += piece.text.length;
    if (/[/,:;=-]/.test(piece.text) || piece.columns === 2) mark = end;
  }
  const at = mark > end / 2 ? mark : end;
  return [word.slice(0, at), word.slice(at)];
}
