/** Errors in an expression, with a caret under the offending column. */
import { KickError } from '../../errors.ts';
import { pointedAt } from '../../util/text.ts';

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
  const where = `see column ${column}\n${pointedAt(text, column)}`;
  return new KickError('usage', `read the hosts of ${origin}: ${message}, ${where}`, { hint: HINT });
}
