/** How much two words differ, for "did you mean". */

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editsBetween(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  const at = (i: number, j: number) => rows[i]?.[j] ?? j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, at(i - 1, j - 1) + same);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) best = Math.min(best, at(i - 2, j - 2) + 1);
      (rows[i] ?? [])[j] = best;
    }
  }
  return at(a.length, b.length);
}

/** Maximum edit distance. */
const MAX_EDITS = 2;

/** The word that was probably meant; undefined if none is near: by default, a short word allows for fewer edits. */
export function nearestWord(
  word: string,
  words: readonly string[],
  most = Math.min(MAX_EDITS, Math.floor(word.length / 2)),
): string | undefined {
  const [found] = words
    .filter((one) => Math.abs(one.length - word.length) <= most)
    .map((one) => ({ one, edits: editsBetween(word.toLowerCase(), one.toLowerCase()) }))
    .filter(({ edits }) => edits <= most)
    .sort((a, b) => a.edits - b.edits);
  return found?.one;
}
