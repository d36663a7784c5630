/**
 * The imports of a TypeScript file as Biome formats it: every static one begins its line. (The
 * TypeScript 7 package has no stable parser for programs, and a formatted file needs none.)
 */

export interface Import {
  /** As written: `../errors.ts`, `node:fs`, `express`. */
  specifier: string;
  line: number;
  /** A type import, of which nothing is left at run time. */
  isTypeOnly: boolean;
}

/** `import … from '…'`, `import '…'`, `export … from '…'`; the clause may go over several lines. */
const STATIC =
  /^(?:import|export)\s+(?:(type\s+(?!from\b))?([\w$*{][^;'"]*?)\s+from\s+)?(['"])([^'"\n]+)\3/gm;

/** `import('…')`; in a type it is the type of a module. */
const DYNAMIC = /(typeof\s+)?\bimport\(\s*(['"])([^'"\n]+)\2\s*\)/g;

/** All imports of a source, in the order of its lines. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source);
  const found: Import[] = [];
  for (const match of code.matchAll(STATIC)) {
    const [, type, , , specifier = ''] = match;
    found.push({ specifier, line: lineAt(code, match.index), isTypeOnly: type !== undefined });
  }
  for (const match of code.matchAll(DYNAMIC)) {
    const [, typeof_, , specifier = ''] = match;
    found.push({ specifier, line: lineAt(code, match.index), isTypeOnly: typeof_ !== undefined });
  }
  return found.sort((a, b) => a.line - b.line);
}

/** The lines, from 1, on which something occurs in a source outside comments. */
export function linesWith(source: string, pattern: RegExp): number[] {
  const lines = withoutComments(source).split('\n');
  return lines.flatMap((line, index) => (pattern.test(line) ? [index + 1] : []));
}

/** Replaces comments by blanks, so that positions stay; strings, which may contain slashes, are kept. */
function withoutComments(source: string): string {
  const pieces = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\\n])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;
  return source.replace(pieces, (piece) => (piece.startsWith('/') ? piece.replace(/[^\n]/g, ' ') : piece));
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
