import { KickError } from '../../../errors.ts';

/** Characters of an expression that are shown around what is wrong with it. */
const SHOWN = 100;

/** What is wrong with an expression, and where; columns count from 1. */
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

/** The `KickError` `usage` that points at the column. `origin`: where the expression stands, `argument 2`. */
export function pointAt({ column, message }: ExpressionProblem, text: string, origin: string): KickError {
  const from = text.length <= SHOWN ? 0 : Math.max(0, column - SHOWN / 2);
  // One column a character, whatever stands there.
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
