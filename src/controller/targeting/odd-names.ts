/** Names, among those a program prints, that no agent can have (protocol/names.ts). */
import { wordsIn } from '../../conditions/nodeset/words.ts';

/** Blanks are allowed: they separate names. */
const ODD = /[^\s -.0-~]/;

const MAX_LENGTH = 253;

/**
 * Removes the odd names from an expression. One with an operator is left as it is: without a name it could mean other
 * hosts.
 */
export function withoutOddNames(text: string): { text: string; odd: string[] } {
  const words = [...wordsIn(text, ',')].filter(({ isWord }) => isWord).map((word) => word.text);
  const odd = words.filter(isOdd);
  if (odd.length === 0 || /["!&^]/.test(text)) return { text, odd: [] };
  return { text: words.filter((word) => !isOdd(word)).join(','), odd };
}

function isOdd(word: string): boolean {
  // A bracket that is not closed is an error, wherever it was meant to end.
  if (word.lastIndexOf('[') > word.lastIndexOf(']')) return false;
  return ODD.test(word) || /^\.{1,2}$/.test(word) || (word.length > MAX_LENGTH && !word.includes('['));
}
