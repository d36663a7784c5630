/** What could follow in an expression: groups after an @, hosts otherwise. */

export interface Suggestion {
  /** What would stand in place of the word that is being written. */
  word: string;
  kind: 'group' | 'host';
}

const MOST = 8;

/** The word that is being written at the end: `web0`, `@we`, or after an operator, `!@dm`. */
const WORD = /(?:^|[\s,!&])(@?[^\s,!&@]*)$/;

export function wordAt(text: string): string {
  return WORD.exec(text)?.[1] ?? '';
}

interface Known {
  groups: readonly string[];
  hosts: readonly string[];
}

export function suggestionsFor(text: string, { groups, hosts }: Known): Suggestion[] {
  const word = wordAt(text).toLowerCase();
  if (word === '') return [];
  const kind = word.startsWith('@') ? 'group' : 'host';
  const part = kind === 'group' ? word.slice(1) : word;
  const found = among(kind === 'group' ? groups : hosts, part);
  return found.map((name) => ({ word: kind === 'group' ? `@${name}` : name, kind }));
}

/** Those that begin with it, then those that have it in them. */
function among(names: readonly string[], part: string): string[] {
  const begin: string[] = [];
  const within: string[] = [];
  for (const name of names) {
    if (begin.length >= MOST) break;
    const at = name.indexOf(part);
    if (name === part) continue;
    if (at === 0) begin.push(name);
    else if (at > 0 && within.length < MOST) within.push(name);
  }
  return [...begin, ...within].slice(0, MOST);
}

export function completed(text: string, { word }: Suggestion): string {
  return `${text.slice(0, text.length - wordAt(text).length)}${word} `;
}
