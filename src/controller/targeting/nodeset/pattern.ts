/** `/^web\\d+/`: hosts by a regular expression, as `mco -I /regex/`. It is tried for a bounded time only (conditions/fact-patterns.ts). */
import { ExpressionProblem } from './problem.ts';

/** Maximum characters. */
const MAX_PATTERN = 500;

/** The pattern that begins at `from`, and where it ends. Throws `ExpressionProblem`. */
export function patternAt(
  text: string,
  from: number,
  isEnd: (at: number) => boolean,
): { end: number; pattern: string } {
  const close = closingSlash(text, from);
  const column = from + 1;
  if (close < 0) throw new ExpressionProblem(column, 'the regular expression is not closed by "/"');
  const end = close + 1;
  if (!isEnd(end)) throw new ExpressionProblem(end + 1, 'a regular expression goes on behind its "/"');
  const pattern = text.slice(from + 1, close);
  if (pattern === '') throw new ExpressionProblem(column, 'the regular expression is empty (all hosts: @*)');
  if (pattern.length > MAX_PATTERN)
    throw new ExpressionProblem(column, `the regular expression is longer than ${MAX_PATTERN} characters`);
  try {
    new RegExp(pattern);
  } catch (error) {
    throw new ExpressionProblem(column, error instanceof Error ? error.message : 'not a regular expression');
  }
  return { end, pattern };
}

/** A backslash protects what follows it. */
function closingSlash(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '/') return at;
    if (text[at] === '\\') at += 1;
  }
  return -1;
}
