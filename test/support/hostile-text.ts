/** Every character that must not leave for a terminal, a log or a file of metrics as it is, and what is left of them in output. */

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** Code points, each of them said by name rather than by what a pattern of the program happens to match. */
const CODES: readonly number[] = [
  // C0, DEL and C1; a single quote of ECMA-48 starts with ESC or with 0x9b.
  ...range(0x00, 0x1f),
  0x7f,
  ...range(0x80, 0x9f),
  // Bidi marks, embeddings, overrides and isolates.
  ...[0x061c, 0x200e, 0x200f, ...range(0x202a, 0x202e), ...range(0x2066, 0x2069)],
  // What ends a line elsewhere.
  ...[0x2028, 0x2029],
  // No width, or none that is seen.
  ...[0x00ad, 0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, ...range(0x180b, 0x180f), 0x200b, 0x200c, 0x200d],
  ...[...range(0x2060, 0x2065), ...range(0x206a, 0x206f), 0x3164, 0xfeff, 0xffa0, ...range(0xfff9, 0xfffb)],
  // Half a character, and tags.
  ...[0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe0001, 0xe0041, 0xe007f],
];

const SEQUENCES = ['\u001b[31m', '\u001b[2J', '\u009b31m', '\u001b]0;t\u0007', '\r\n\tx', '\u202e'];

/** Short enough for every field: the shortest has 32. */
const MAX_PIECE = 32;

/** All of them, in texts that begin with something to be found by. */
export const HOSTILE: readonly string[] = piecesOf([
  ...CODES.map((code) => String.fromCodePoint(code)),
  ...SEQUENCES,
]);

function piecesOf(parts: readonly string[]): string[] {
  const pieces: string[] = [];
  let piece = 'evil0 ';
  for (const part of parts) {
    // Two halves side by side would be whole.
    const next = `${piece}${part}.`;
    if (next.length <= MAX_PIECE) piece = next;
    else {
      pieces.push(piece);
      piece = `evil${pieces.length} ${part}.`;
    }
  }
  return [...pieces, piece];
}

const isHostile = (code: number) => CODES.includes(code);

/** What of them is in output, each with what stands around it. A line end is none. */
export function hostileIn(output: Uint8Array | string): string[] {
  const text = typeof output === 'string' ? output : new TextDecoder('utf-8', { fatal: true }).decode(output);
  const found: string[] = [];
  let at = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    if (char !== '\n' && isHostile(code))
      found.push(`U+${code.toString(16)} in ${JSON.stringify(text.slice(Math.max(0, at - 40), at + 20))}`);
    at += char.length;
  }
  return found;
}
