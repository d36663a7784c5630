/** A problem in a condition that was typed, and where it is. */
import { KickError } from '../errors.ts';
import { pointedAt } from '../util/text.ts';

export class ConditionProblem extends Error {
  /** Index into the text. */
  readonly at: number;

  constructor(at: number, message: string) {
    super(message);
    this.name = 'ConditionProblem';
    this.at = at;
  }
}

export interface Typed {
  text: string;
  /** What was typed, for messages: `--fact`. */
  name: string;
  /** What is right. */
  hint: string;
}

/** What `read` returns; its `ConditionProblem` becomes `KickError` `usage`, which points at the column. */
export function pointingAt<T>({ text, name, hint }: Typed, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConditionProblem)) throw error;
    const { at, message } = error;
    const column = at + 1;
    const where = `see column ${column}\n${pointedAt(text, column)}`;
    throw new KickError('usage', `${name}: ${message}, ${where}`, { hint });
  }
}
