/** Many names in few characters: `web[01-20]`, as ClusterShell's `nodeset --fold` writes them. */
import { foldIndices } from './range.ts';

interface Pattern {
  /** Text around the numbers: one more than there are numbers. */
  texts: string[];
  rows: string[][];
}

/** The names (each once) folded, patterns in alphabetical order, as one expression that means the same names. */
export function foldNames(names: readonly string[]): string {
  const patterns = new Map<string, Pattern>();
  for (const name of names) {
    const key = name.replace(/\d+/g, '\0');
    let pattern = patterns.get(key);
    if (pattern === undefined) {
      pattern = { texts: key.split('\0'), rows: [] };
      patterns.set(key, pattern);
    }
    pattern.rows.push(name.match(/\d+/g) ?? []);
  }
  const sorted = [...patterns].sort(([a], [b]) => (a < b ? -1 : 1));
  return sorted.flatMap(([, { texts, rows }]) => foldRows(texts, rows)).join(',');
}

/** Numbers vary in one place at a time: the last place is folded first, then equal rests are joined. */
function foldRows(texts: readonly string[], rows: readonly string[][]): string[] {
  let folded = rows;
  const places = texts.length - 1;
  for (let place = places - 1; place >= 0; place--) folded = foldPlace(folded, place);
  return folded.map((row) => texts.map((text, index) => text + (row[index] ?? '')).join(''));
}

function foldPlace(rows: readonly string[][], place: number): string[][] {
  const groups = new Map<string, { row: string[]; indices: string[] }>();
  for (const row of rows) {
    const key = row.map((cell, index) => (index === place ? '' : cell)).join('\0');
    const group = groups.get(key) ?? { row, indices: [] };
    group.indices.push(row[place] ?? '');
    groups.set(key, group);
  }
  return [...groups.values()].map(({ row, indices }) => {
    const [only = ''] = indices;
    const cell = indices.length === 1 ? only : `[${foldIndices(indices).join(',')}]`;
    return row.map((old, index) => (index === place ? cell : old));
  });
}
