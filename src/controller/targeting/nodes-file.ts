import type { Named } from './nodeset/expression.ts';

/** What stands before a comment; a quoted name may have a # in it. */
const BEFORE_COMMENT = /^(?:[^"#]+|"(?:[^"\\]|\\.)*(?:"|$))*/;

/** A line without its comment, and without blanks around. */
export function withoutComment(line: string): string {
  return (BEFORE_COMMENT.exec(line)?.[0] ?? '').trim();
}

/** The expressions of a list of nodes: one or more a line, `#` begins a comment. A list without any names nobody. */
export function parseNodesFile(text: string, file: string): Named[] {
  const named: Named[] = [];
  for (const [index, line] of text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .entries()) {
    const expression = withoutComment(line);
    if (expression !== '') named.push({ text: expression, origin: `${file}:${index + 1}` });
  }
  return named.length > 0 ? named : [{ text: '', origin: file }];
}
