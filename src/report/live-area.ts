/**
 * The last rows of a terminal, drawn again and again (ECMA-48: CUU, ED, EL), with lines that stay above them. A terminal
 * that becomes narrower wraps the rows that are there: they are counted anew before they are erased.
 */
import { linesIn } from '../util/columns.ts';
import { safeColoured } from '../util/text.ts';
import { wrapLine } from './wrap.ts';

export interface LiveArea {
  /** A line for stdout or stderr that stays above the rows; it is written when they are drawn next. */
  above(line: string, options: AboveOptions): void;
  /** Writes what waits, and replaces the rows. */
  draw(rows: readonly string[]): void;
  /** Others have written there: the rows are no longer the last ones. */
  forget(): void;
}

export interface AboveOptions {
  to: 'out' | 'err';
  /** Blanks in front of what goes on, where it is wrapped. */
  indent?: number;
  /** Lines that it may become. */
  maxLines?: number;
}

export interface LiveAreaOptions {
  out(text: string): void;
  err(text: string): void;
  /** As it is, to where `err` goes. */
  draw(text: string): void;
  /** Of the window, as they are now. */
  columns(): number;
  rows(): number;
  /** Whether stdout goes elsewhere; its lines stay as they are then. */
  isOutElsewhere: boolean;
}

interface Waiting extends AboveOptions {
  line: string;
}

export function createLiveArea(options: LiveAreaOptions): LiveArea {
  const out = (text: string) => text !== '' && options.out(text);
  const err = (text: string) => text !== '' && options.err(text);
  const move = (text: string) => text !== '' && options.draw(text);
  let shown: readonly string[] = [];
  let drawnIn = '';
  let waiting: Waiting[] = [];

  return {
    above: (line, more) => void waiting.push({ line, ...more }),
    draw(given) {
      const rows = given.map(safeColoured);
      const columns = Math.max(1, options.columns());
      const height = shown.reduce((sum, row) => sum + linesIn(row, columns), 0);
      // A window of another size may have lost rows at its top, and have been smaller still in between.
      const size = `${columns} x ${options.rows()}`;
      const isAsDrawn = size === drawnIn && height === shown.length && height < options.rows();
      if (waiting.length === 0 && isAsDrawn) {
        move(changes(shown, rows));
      } else {
        move(erasing(height));
        writeWaiting(columns);
        err(rows.map((row) => `${row}\n`).join(''));
      }
      shown = rows;
      drawnIn = size;
    },
    forget() {
      shown = [];
    },
  };

  function writeWaiting(columns: number): void {
    const lines = waiting;
    waiting = [];
    // One write for as many lines as go to the same place.
    let [to, text]: [AboveOptions['to'], string] = ['err', ''];
    const flush = () => (to === 'err' ? err(text) : out(text));
    for (const one of lines) {
      if (one.to !== to) {
        flush();
        [to, text] = [one.to, ''];
      }
      text += `${linesOf(one, columns).join('\n')}\n`;
    }
    flush();
  }

  function linesOf({ line, to, indent, maxLines }: Waiting, columns: number): string[] {
    if (to === 'out' && options.isOutElsewhere) return [line];
    return wrapLine(line, {
      columns: columns - 1,
      ...(indent !== undefined && { indent }),
      ...(maxLines !== undefined && { maxLines }),
    });
  }
}

/** From wherever a key that was pressed has left the cursor in its line. */
function erasing(height: number): string {
  return height === 0 ? '' : `\r\u001b[${height}A\u001b[0J`;
}

/** Only rows that are not what they were: nothing flickers. Empty where all are. */
function changes(shown: readonly string[], rows: readonly string[]): string {
  if (shown.length === rows.length && shown.every((row, index) => row === rows[index])) return '';
  const up = shown.length === 0 ? '' : `\r\u001b[${shown.length}A`;
  const lines = rows.map((row, index) => (row === shown[index] ? '\n' : `${row}\u001b[K\n`));
  return `${up}${lines.join('')}${rows.length < shown.length ? '\u001b[0J' : ''}`;
}
