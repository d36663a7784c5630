/** An agent's counters, as stored between its starts. */
import * as v from 'valibot';
import { count, measure, text, time } from '../../util/bounds.ts';
import type { StoredFormat } from '../../util/stored-json.ts';

const counts = v.record(text(64), count);
const summary = v.object({ sum: v.pipe(measure, v.minValue(0)), count });

/** Durations are in seconds, the time is milliseconds since 1970. */
const CountersSchema = v.object({
  runs: counts,
  requests: counts,
  refused: counts,
  duration: summary,
  wait: summary,
  lastSuccess: v.optional(time),
});

export type Counters = v.InferOutput<typeof CountersSchema>;

export const COUNTERS = { schema: CountersSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;
