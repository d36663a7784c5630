/** Events of a newer agent: what this version knows of them. */
import * as v from 'valibot';
import { text, time, whole } from '../util/bounds.ts';
import { fitTo } from '../util/fit.ts';
import { parseJson } from '../util/json.ts';
import { EVENT_LIMITS, type StoredEvent, StoredEventSchema } from './event.ts';
import { OUTCOME_NAMES } from './outcome.ts';

/** The end of a run by an outcome that is not in our table. */
export interface OtherEnd {
  type: 'other-end';
  seq: number;
  at: number;
  outcome: string;
  message?: string | undefined;
}

const HeadSchema = v.object({ seq: whole(1, Number.MAX_SAFE_INTEGER), at: time });

const FinishedSchema = v.object({
  ...HeadSchema.entries,
  type: v.literal('finished'),
  outcome: text(64),
  message: v.optional(text(2048)),
});

/** With more problems than this, what says so is not a newer agent. */
const MAX_PROBLEMS = 100;

/**
 * Decodes a line that `decodeEvent` cannot. What does not fit (a word that is in none of our lists, a longer text) is cut or
 * left out. Throws `JsonError`; undefined: it is no event.
 */
export function decodeNewerEvent(line: Uint8Array): StoredEvent | OtherEnd | undefined {
  const value = parseJson(line, EVENT_LIMITS);
  // Its number is never guessed.
  if (!v.is(HeadSchema, value)) return undefined;
  const finished = v.safeParse(FinishedSchema, value);
  if (finished.success && !OUTCOME_NAMES.some((name) => name === finished.output.outcome))
    return { ...finished.output, type: 'other-end' };
  const { issues = [] } = v.safeParse(StoredEventSchema, value);
  return issues.length > MAX_PROBLEMS ? undefined : fitTo(StoredEventSchema, value);
}
