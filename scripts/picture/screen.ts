/**
 * A terminal's screen, as far as kick uses one (ECMA-48): text, CR, LF, CUU, CUD, CHA, ED, EL and SGR; the rest is passed
 * over. A window that changes its size wraps its lines anew, as most terminals do.
 */
import { piecesOf } from '../../src/util/columns.ts';

export interface Cell {
  /** Empty: the second half of a wide character. */
  char: string;
  /** SGR parameters that hold: `32`, `1;31`; empty: plain. */
  style: string;
}

export interface Size {
  columns: number;
  rows: number;
}

export interface Screen {
  write(text: string): void;
  resize(size: Size): void;
  /** The rows as they are now, without blanks at their ends. */
  rows(): Cell[][];
  /** The rows that have left the screen at its top. */
  gone(): Cell[][];
}

interface Row {
  cells: Cell[];
  /** It was full: the next row goes on. */
  wraps: boolean;
}

interface Cursor {
  row: number;
  column: number;
  style: string;
}

interface Screenful {
  columns: number;
  height: number;
  rows: Row[];
  gone: Row[];
  cursor: Cursor;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal reads
const PIECE = /\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x00-\x1f\x7f]/gu;

export function createScreen({ columns, rows }: Size): Screen {
  const state: Screenful = { columns, height: rows, rows: [emptyRow()], gone: [], cursor: origin() };
  return {
    write(text) {
      for (const [piece, parameters, final] of text.matchAll(PIECE)) {
        if (final !== undefined) control(state, parameters ?? '', final);
        else if (piece === '\r') state.cursor.column = 0;
        else if (piece === '\n') newline(state);
        else put(state, piece);
      }
    },
    resize: (size) => resize(state, size),
    rows: () => state.rows.map(withoutTail),
    gone: () => state.gone.map(withoutTail),
  };
}

const emptyRow = (): Row => ({ cells: [], wraps: false });
const origin = (): Cursor => ({ row: 0, column: 0, style: '' });

/** The cursor may stand on a row that is not there yet. */
function scroll(state: Screenful): void {
  const { rows, gone, cursor, height } = state;
  while (cursor.row >= rows.length) rows.push(emptyRow());
  while (cursor.row >= height) {
    const first = rows.shift();
    if (first !== undefined) gone.push(first);
    cursor.row -= 1;
  }
}

function newline(state: Screenful): void {
  state.cursor.row += 1;
  scroll(state);
}

function put(state: Screenful, char: string): void {
  const { cursor, columns } = state;
  const [piece] = piecesOf(char);
  const width = piece?.columns ?? 1;
  if (cursor.column + width > columns) {
    const full = state.rows[cursor.row];
    if (full !== undefined) full.wraps = true;
    cursor.column = 0;
    newline(state);
  }
  const cells = state.rows[cursor.row]?.cells ?? [];
  while (cells.length < cursor.column) cells.push({ char: ' ', style: '' });
  for (let half = 0; half < width; half++) {
    cells[cursor.column] = { char: half === 0 ? char : '', style: cursor.style };
    cursor.column += 1;
  }
}

function control({ rows, cursor }: Screenful, parameters: string, final: string): void {
  const count = Math.max(1, Number(parameters) || 0);
  const row = rows[cursor.row];
  if (final === 'A') cursor.row = Math.max(0, cursor.row - count);
  else if (final === 'B') cursor.row = Math.min(rows.length - 1, cursor.row + count);
  else if (final === 'G') cursor.column = count - 1;
  else if (final === 'm') cursor.style = styleAfter(cursor.style, parameters);
  else if (final === 'K') eraseFrom(row, parameters === '2' ? 0 : cursor.column);
  else if (final === 'J') {
    eraseFrom(row, cursor.column);
    rows.splice(cursor.row + 1);
  }
}

function eraseFrom(row: Row | undefined, column: number): void {
  if (row === undefined) return;
  row.cells.splice(column);
  row.wraps = false;
}

function styleAfter(before: string, parameters: string): string {
  let style = before === '' ? [] : before.split(';');
  for (const one of parameters.split(';')) {
    if (one === '' || one === '0') style = [];
    else if (one === '39') style = style.filter((held) => !/^(3|9)\d$/.test(held));
    else if (one === '22') style = style.filter((held) => held !== '1' && held !== '2');
    else style = [...style.filter((held) => held !== one), one];
  }
  return style.join(';');
}

/** The cursor stays where it was in the text. */
function resize(state: Screenful, { columns, rows: height }: Size): void {
  const { cursor } = state;
  const lines: { cells: Cell[]; cursorAt?: number }[] = [];
  let isNew = true;
  for (const [index, { cells, wraps }] of state.rows.entries()) {
    if (isNew) lines.push({ cells: [] });
    const line = lines.at(-1);
    if (line === undefined) continue;
    if (index === cursor.row) line.cursorAt = line.cells.length + cursor.column;
    line.cells.push(...cells);
    isNew = !wraps;
  }
  Object.assign(state, { columns, height, rows: [] });
  for (const { cells, cursorAt = -1 } of lines) {
    let from = 0;
    do {
      // A wide character does not stand on two rows.
      const end = from + columns - (cells[from + columns]?.char === '' ? 1 : 0);
      const isLast = end >= cells.length;
      if (cursorAt >= from && (cursorAt < end || isLast)) {
        cursor.row = state.rows.length;
        cursor.column = Math.min(cursorAt - from, columns);
      }
      state.rows.push({ cells: cells.slice(from, end), wraps: !isLast });
      from = end;
    } while (from < cells.length);
  }
  scroll(state);
}

function withoutTail({ cells }: Row): Cell[] {
  const end = cells.findLastIndex(({ char, style }) => char !== ' ' || style.includes('7')) + 1;
  return cells.slice(0, end);
}
