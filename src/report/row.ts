/** A row of several parts, as many as fit. */
import { clipColumns, columnsOf, padColumns } from '../util/columns.ts';
import { safeText } from '../util/text.ts';

export interface Part {
  /** Without colours. */
  text: string;
  paint?(text: string): string;
  /** Left out where it does not fit as a whole. */
  isOptional?: boolean;
}

const GAP = '  ';

/** The parts with two blanks between them; the one at the edge is cut, and those behind it are left out. */
export function fitParts(
  parts: readonly Part[],
  { columns, indent }: { columns: number; indent: number },
): string {
  let row = ' '.repeat(Math.min(indent, Math.max(0, columns - 1)));
  let used = row.length;
  for (const [index, { text, paint, isOptional = false }] of parts.entries()) {
    const gap = index === 0 ? '' : GAP;
    const room = columns - used - gap.length;
    const fits = columnsOf(text) <= room;
    if (!fits && isOptional) continue;
    const shown = clipColumns(text, room);
    if (shown !== '') row += gap + (paint?.(shown) ?? shown);
    if (!fits) break;
    used += gap.length + columnsOf(shown);
  }
  return row;
}

export interface HeadOptions {
  /** Of the row, and of the longest name. */
  columns: number;
  nameColumns: number;
  /** How long it took, or has taken: `24s`. */
  time: string;
  /** Colours what it does, or how it ended. */
  paint?(text: string): string;
}

/** What a row about a host begins with: `  web1.example.com  running        24s`. */
export function headOf(name: string, what: string, options: HeadOptions): string {
  const { time, paint = (text) => text } = options;
  const width = nameWidth(options);
  const shown = padColumns(clipColumns(safeText(name), width), width);
  return `  ${shown}  ${paint(what.padEnd(LONGEST_WORD))}  ${time.padStart(LONGEST_TIME)}`;
}

/** Columns in front of what follows such a beginning. */
export function headColumns(options: Pick<HeadOptions, 'columns' | 'nameColumns'>): number {
  return nameWidth(options) + LONGEST_WORD + LONGEST_TIME + 8;
}

/** `unreachable`, and `59m 59s`. */
const [LONGEST_WORD, LONGEST_TIME] = [11, 7];

/** Longer names are cut: they leave more than half of the row to the rest, and in a narrow one room for the time. */
function nameWidth({ columns, nameColumns }: Pick<HeadOptions, 'columns' | 'nameColumns'>): number {
  const share = Math.max(12, Math.floor(columns * 0.4));
  return Math.max(1, Math.min(nameColumns, share, columns - LONGEST_WORD - LONGEST_TIME - 6));
}
