/** The last lines of a terminal, drawn again and again (ECMA-48: CUU and ED). */
import { clip } from '../util/text.ts';

export interface LiveArea {
  /** Replaces the rows. */
  draw(rows: readonly string[]): void;
  /** Prints something that stays above them. */
  above(print: () => void): void;
}

export function createLiveArea(write: (text: string) => void, columns: () => number): LiveArea {
  let shown: readonly string[] = [];

  function erase(): void {
    if (shown.length > 0) write(`\u001b[${shown.length}A\u001b[0J`);
  }

  function show(): void {
    for (const row of shown) write(`${row}\n`);
  }

  return {
    draw(rows) {
      erase();
      // A row that wraps would count as two.
      shown = rows.map((row) => clip(row, Math.max(20, columns() - 1)));
      show();
    },
    above(print) {
      erase();
      print();
      show();
    },
  };
}
