/** An operator's regular expression on facts: V8 tries it, which for some expressions takes exponential time. */
import { createContext, Script } from 'node:vm';
import { KickError } from '../errors.ts';
import { clip } from '../util/text.ts';
import type { FactCondition } from './fact-condition.ts';

/** Milliseconds for all hosts together. */
const PATTERN_MS = 5000;

let fitting: Script | undefined;

/**
 * Returns the texts that a `~` condition fits. `what` is for messages. Throws `KickError` `usage` if that takes longer than `ms`, 5 s by default, or
 * the expression needs more than there is.
 */
export function textsThatFit(
  { text, value }: Pick<FactCondition, 'text' | 'value'>,
  texts: ReadonlySet<string>,
  { ms = PATTERN_MS, what = `--fact ${clip(text, 200)}` }: { ms?: number; what?: string } = {},
): Set<string> {
  if (texts.size === 0) return new Set();
  fitting ??= new Script(
    '{ const expression = new RegExp(value); texts.filter((one) => expression.test(one)); }',
  );
  const context = createContext({ value, texts: [...texts] });
  try {
    return new Set(fitting.runInContext(context, { timeout: ms }) as string[]);
  } catch (error) {
    // An error of another context is none of our `Error`.
    const { code, message = 'it cannot be tried' } = error as { code?: string; message?: string };
    const why =
      code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
        ? `it takes more than ${ms / 1000} s on ${texts.size} values`
        : message;
    throw new KickError('usage', `${what}: try the regular expression: ${clip(why, 200)}`, {
      hint: 'a part that repeats should not repeat again inside, as in (a+)+',
      cause: error,
    });
  }
}
