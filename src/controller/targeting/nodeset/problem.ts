/** Errors in an expression, with a caret under the offending column. */
import { KickError } from '../../../errors.ts';

/** How many characters of an expression are shown around a problem. */
const SHOWN = 100;

/** A problem in an expression, and its column, from 1. */
export class ExpressionProblem extends Error {
  readonly column: number;

  constructor(column: number, message: string) {
    super(message);
    this.name = 'ExpressionProblem';
    this.column = column;
  }
}

const HINT =
  'web[01-20], web*, @group; "," union, "!" difference, "&" intersection, "^" symmetric difference';

/** Makes the `KickError` `usage` that points at the column. `origin`: where the expression comes from, `argument 2`. */
export function pointAt({ column, message }: ExpressionProblem, text: string, origin: string): KickError {
  const from = text.length <= SHOWN ? 0 : Math.max(0, column - SHOWN / 2);
  // Every character takes one column.
  const shown = text
    .slice(from, from + SHOWN)
    .replace(/\s/g, ' ')
    .replace(/\p{C}/gu, '?');
  const caret = `${' '.repeat(column - 1 - from)}^`;
  return new KickError(
    'usage',
    `read the hosts of ${origin}: ${message}, see column ${column}\n  ${shown}\n  ${caret}`,
    { hint: HINT },
  );
}
