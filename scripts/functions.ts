/**
 * The functions of a TypeScript file as Biome formats it, and their lengths. A formatted function ends
 * at the first line that closes the indentation of the line on which its body opens.
 */

export interface FunctionLength {
  /** As written, or `(anonymous)`. */
  name: string;
  /** The line on which its body opens, from 1. */
  line: number;
  /** From there to the closing brace. */
  lines: number;
}

/** A line on which the body of a function opens: `function f(…) {`, `f(…): T {`, `… => {`. */
const OPENS = /(?:=>|\)(?::\s[^=]*)?|\):\s.*) \{$/;
const NO_FUNCTION =
  /^\s*(?:\}\s*)?(?:else\b|if\b|for\b|while\b|switch\b|catch\b|try\b|do\b|with\b|(?:export )?(?:interface|class|type|enum)\b)/;
const NAME =
  /(?:function\*?\s+([\w$]+)|(?:const|let)\s+([\w$]+)\s*=|^\s*(?:async\s+)?\*?\s*(?:get\s+|set\s+)?([\w$]+)\s*(?:<[^>]*>)?\(|([\w$]+):\s*(?:async\s*)?\()/;

/** All functions with a body of more than one line, in order. */
export function functionsOf(source: string): FunctionLength[] {
  const lines = source.split('\n');
  const found: FunctionLength[] = [];
  for (const [index, line] of lines.entries()) {
    if (!OPENS.test(line) || NO_FUNCTION.test(line)) continue;
    const indent = indentOf(line);
    const end = lines.findIndex(
      (other, at) => at > index && indentOf(other) === indent && /^\s*\}/.test(other),
    );
    if (end < 0) continue;
    const start = headOf(lines, index, indent);
    found.push({ name: nameOf(lines.slice(start, index + 1)), line: start + 1, lines: end - start + 1 });
  }
  return found;
}

const indentOf = (line: string) => line.length - line.trimStart().length;

/** Finds the first line of a multi-line head: `export async function f(` … `): Promise<void> {`. */
function headOf(lines: readonly string[], open: number, indent: number): number {
  if (!/^\s*\)/.test(lines[open] ?? '')) return open;
  let at = open - 1;
  while (at > 0 && (indentOf(lines[at] ?? '') > indent || (lines[at] ?? '') === '')) at -= 1;
  return at;
}

function nameOf(head: readonly string[]): string {
  const match = NAME.exec(head[0] ?? '');
  return match?.slice(1).find((name) => name !== undefined) ?? '(anonymous)';
}
