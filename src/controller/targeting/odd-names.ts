/** Names that no agent can have (protocol/names.ts), among those that a program prints. */

/** A blank may stand between names. */
const ODD = /[^\s -.0-~]/;

const MAX_LENGTH = 253;

/** A word of an expression: what stands in brackets belongs to it. */
const WORD = /(?:\[[^\]]*\]|[^\s,[])+|\[/g;

/**
 * An expression without its odd names, and these. One with an operator stays as it is: what is left of it
 * could mean others than it says.
 */
export function withoutOddNames(text: string): { text: string; odd: string[] } {
  const words = text.match(WORD) ?? [];
  const odd = words.filter(isOdd);
  if (odd.length === 0 || /["!&^]/.test(text)) return { text, odd: [] };
  return { text: words.filter((word) => !isOdd(word)).join(','), odd };
}

function isOdd(word: string): boolean {
  return ODD.test(word) || /^\.{1,2}$/.test(word) || (word.length > MAX_LENGTH && !word.includes('['));
}
