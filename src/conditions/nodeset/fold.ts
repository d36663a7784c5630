/** Many names in few characters: `web[01-20]`, as ClusterShell's `nodeset --fold` writes them. */
import { isBareName, quoteName } from './expression.ts';
import { foldIndices } from './range.ts';

interface Pattern {
  /** Text around the numbers: one more than there are numbers. */
  texts: readonly string[];
  /** The numbers of all names, by position; an array per name would cost too much. */
  places: string[][];
}

/** Folds names without duplicates into one expression that means the same, patterns in alphabetical order. */
export function foldNames(names: readonly string[]): string {
  return foldTerms(names).join(',');
}

/** The terms of that expression. */
export function foldTerms(names: readonly string[]): string[] {
  const patterns = new Map<string, Pattern>();
  const quoted: string[] = [];
  let latest: Pattern | undefined;
  for (const name of names) {
    if (!isBareName(name)) {
      quoted.push(quoteName(name));
      continue;
    }
    // Most names look like the one before.
    if (latest !== undefined && addTo(latest, name)) continue;
    const key = name.replace(/\d+/g, '\0');
    latest = patterns.get(key) ?? patternOf(key.split('\0'));
    patterns.set(key, latest);
    addTo(latest, name);
  }
  const sorted = [...patterns].sort(([a], [b]) => (a < b ? -1 : 1));
  return [...sorted.flatMap(([, pattern]) => foldPattern(pattern)), ...quoted.sort()];
}

function patternOf(texts: readonly string[]): Pattern {
  return { texts, places: texts.slice(1).map(() => []) };
}

/** Adds the numbers of a name; returns false if it does not fit the pattern. */
function addTo({ texts, places }: Pattern, name: string): boolean {
  if (!fits(texts, name)) return false;
  let at = texts[0]?.length ?? 0;
  for (let place = 0; place < places.length; place++) {
    const end = digitsEnd(name, at);
    places[place]?.push(name.slice(at, end));
    at = end + (texts[place + 1]?.length ?? 0);
  }
  return true;
}

function fits(texts: readonly string[], name: string): boolean {
  let at = 0;
  for (let index = 0; index < texts.length; index++) {
    const from = at;
    if (index > 0) at = digitsEnd(name, at);
    if (index > 0 && at === from) return false;
    const text = texts[index] ?? '';
    for (let i = 0; i < text.length; i++, at++) if (name.charCodeAt(at) !== text.charCodeAt(i)) return false;
  }
  return at === name.length;
}

function digitsEnd(name: string, from: number): number {
  let at = from;
  for (let char = name.charCodeAt(at); char >= 0x30 && char <= 0x39; char = name.charCodeAt(at)) at += 1;
  return at;
}

/** Folds one position at a time, the last one first, then joins equal rests. */
function foldPattern({ texts, places }: Pattern): string[] {
  const [only = [], ...more] = places;
  let rows: readonly (readonly string[])[];
  if (places.length === 0) rows = [[]];
  else if (more.length === 0) rows = [[foldCells(only)]];
  else {
    rows = only.map((_, index) => places.map((cells) => cells[index] ?? ''));
    for (let place = places.length - 1; place >= 0; place--) rows = foldPlace(rows, place);
  }
  return rows.map((row) => texts.map((text, index) => text + (row[index] ?? '')).join(''));
}

function foldPlace(rows: readonly (readonly string[])[], place: number): string[][] {
  const groups = new Map<string, { row: readonly string[]; cells: string[] }>();
  for (const row of rows) {
    const key = row.map((cell, index) => (index === place ? '' : cell)).join('\0');
    const group = groups.get(key) ?? { row, cells: [] };
    group.cells.push(row[place] ?? '');
    groups.set(key, group);
  }
  return [...groups.values()].map(({ row, cells }) =>
    row.map((old, index) => (index === place ? foldCells(cells) : old)),
  );
}

function foldCells(cells: readonly string[]): string {
  const [only = ''] = cells;
  return cells.length === 1 ? only : `[${foldIndices(cells).join(',')}]`;
}
