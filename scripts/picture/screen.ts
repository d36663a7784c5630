/** A terminal's screen, as far as kick uses one (ECMA-48): text, CR, LF, CUU, ED, EL and SGR. The rest is passed over. */

export interface Cell {
  char: string;
  /** SGR parameters that hold: `32`, `1;31`; empty: plain. */
  style: string;
}

export interface Screen {
  write(text: string): void;
  /** The rows as they are now, without blanks at their ends. */
  rows(): Cell[][];
}

interface Cursor {
  row: number;
  column: number;
  style: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what a terminal reads
const PIECE = /\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x00-\x1f\x7f]/gu;

export function createScreen({ columns, rows: height }: { columns: number; rows: number }): Screen {
  const rows: Cell[][] = [[]];
  const cursor: Cursor = { row: 0, column: 0, style: '' };

  function newline(): void {
    cursor.row += 1;
    if (cursor.row === height) {
      rows.shift();
      cursor.row -= 1;
    }
    rows[cursor.row] ??= [];
  }

  function put(char: string): void {
    if (cursor.column === columns) {
      cursor.column = 0;
      newline();
    }
    const row = rows[cursor.row] ?? [];
    while (row.length < cursor.column) row.push({ char: ' ', style: '' });
    row[cursor.column] = { char, style: cursor.style };
    cursor.column += 1;
  }

  function control(parameters: string, final: string): void {
    const count = Math.max(1, Number(parameters) || 0);
    if (final === 'A') cursor.row = Math.max(0, cursor.row - count);
    else if (final === 'B') cursor.row = Math.min(rows.length - 1, cursor.row + count);
    else if (final === 'G') cursor.column = count - 1;
    else if (final === 'm') cursor.style = styleAfter(cursor.style, parameters);
    else if (final === 'K') rows[cursor.row]?.splice(parameters === '2' ? 0 : cursor.column);
    else if (final === 'J') {
      rows[cursor.row]?.splice(cursor.column);
      rows.splice(cursor.row + 1);
    }
  }

  return {
    write(text) {
      for (const [piece, parameters, final] of text.matchAll(PIECE)) {
        if (final !== undefined) control(parameters ?? '', final);
        else if (piece === '\r') cursor.column = 0;
        else if (piece === '\n') newline();
        else put(piece);
      }
    },
    rows: () => rows.map(withoutTail),
  };
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

function withoutTail(row: readonly Cell[]): Cell[] {
  const end = row.findLastIndex(({ char, style }) => char !== ' ' || style.includes('7')) + 1;
  return row.slice(0, end);
}
