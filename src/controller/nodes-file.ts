import type { Named } from './selection.ts';

/** The expressions of a list of nodes: one or more a line, `#` begins a comment. */
export function parseNodesFile(text: string, file: string): Named[] {
  const named: Named[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const expression = line.replace(/#.*$/, '').trim();
    if (expression !== '') named.push({ text: expression, origin: `${file}:${index + 1}` });
  }
  return named;
}
