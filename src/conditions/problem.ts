/** A problem in a condition that was typed, and where it is. */
import { KickError } from '../errors.ts';

/** How many characters are shown around it. */
const SHOWN = 100;

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
    const from = text.length <= SHOWN ? 0 : Math.max(0, at - SHOWN / 2);
    const shown = text.slice(from, from + SHOWN).replace(/\s/g, ' ');
    const caret = `${' '.repeat(at - from)}^`;
    throw new KickError('usage', `${name}: ${message}, see column ${at + 1}\n  ${shown}\n  ${caret}`, {
      hint,
    });
  }
}
