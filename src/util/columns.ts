/** How many columns text takes in a terminal. SGR sequences (colours) take none; other controls must have been removed. */

// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal reads it
const SGR = /\u001b\[[\d;]*m/g;

/** Most text, and what we draw ourselves: one column per UTF-16 unit, measured at a fraction of the cost. */
const NARROW = /^[\x20-\x7e…█░]*$/;

/**
 * Two columns: East Asian Wide and Fullwidth (UAX #11), and emoji. Where terminals differ it counts as two, since a short
 * row does no harm.
 */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18cff}\u{1aff0}-\u{1b2ff}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]/u;

/** No column: drawn over the previous character. */
const COMBINING = /[\p{Mn}\p{Me}\u1160-\u11ff]/u;

/** An SGR sequence or a character, each with its columns. */
export interface Piece {
  text: string;
  columns: number;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal reads it
const PIECE = /\u001b\[[\d;]*m|./gsu;

export function* piecesOf(text: string): Generator<Piece> {
  for (const [piece] of text.matchAll(PIECE)) yield { text: piece, columns: columnsOfPiece(piece) };
}

function columnsOfPiece(piece: string): number {
  if (piece.startsWith('\u001b')) return 0;
  if (NARROW.test(piece)) return 1;
  if (WIDE.test(piece)) return 2;
  // A variation selector makes some characters wide.
  return COMBINING.test(piece) && piece !== '\ufe0f' ? 0 : 1;
}

export function columnsOf(text: string): number {
  if (NARROW.test(text)) return text.length;
  const plain = text.replace(SGR, '');
  if (NARROW.test(plain)) return plain.length;
  let columns = 0;
  for (const piece of piecesOf(plain)) columns += piece.columns;
  return columns;
}

/** Cuts text without colours to `max` columns, ending in an ellipsis. */
export function clipColumns(text: string, max: number): string {
  if (columnsOf(text) <= max) return text;
  if (max > 0 && NARROW.test(text)) return `${text.slice(0, max - 1)}…`;
  let [kept, columns] = ['', 0];
  for (const piece of piecesOf(text)) {
    columns += piece.columns;
    if (columns > max - 1) break;
    kept += piece.text;
  }
  return max < 1 ? '' : `${kept}…`;
}

/** Pads text with blanks to `width` columns. */
export function padColumns(text: string, width: number): string {
  return `${text}${' '.repeat(Math.max(0, width - columnsOf(text)))}`;
}

/** How many lines a text takes in a terminal that wraps it by itself. */
export function linesIn(text: string, columns: number): number {
  const all = columnsOf(text);
  if (all <= columns) return 1;
  let [lines, used] = [1, 0];
  for (const piece of piecesOf(text)) {
    // A wide character is not split across lines.
    if (used + piece.columns > columns) [lines, used] = [lines + 1, 0];
    used += piece.columns;
  }
  return lines;
}
