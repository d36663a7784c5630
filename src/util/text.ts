/** Text from elsewhere made harmless for a terminal, and bounded. */

/** Most text, and told at a fraction of the cost. */
const HARMLESS = /^[\x20-\x7e]*$/;

const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

function escapeOne(char: string): string {
  if (char === '\t') return ' ';
  const code = char.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** One line of text with controls, format characters, lone surrogates and line separators written out. */
export function safeText(text: string): string {
  if (HARMLESS.test(text)) return text;
  return text.replace(UNSAFE, escapeOne);
}

/** Text cut to `max` UTF-16 units, an ellipsis in place of what is gone. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, Math.max(0, max - 1));
  return `${/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut}…`;
}

/** `1 host`, `2 hosts`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
