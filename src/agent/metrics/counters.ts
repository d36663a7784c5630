/** What an agent counts, as it is kept between its starts. */
import * as v from 'valibot';
import type { StoredFormat } from '../../util/stored-json.ts';

const number = v.pipe(v.number(), v.minValue(0));
const counts = v.record(v.string(), number);
const summary = v.object({ sum: number, count: number });

/** Durations are in seconds, the time is milliseconds since 1970. */
const CountersSchema = v.object({
  runs: counts,
  requests: counts,
  refused: counts,
  duration: summary,
  wait: summary,
  lastSuccess: v.optional(number),
});

export type Counters = v.InferOutput<typeof CountersSchema>;

export const COUNTERS = { schema: CountersSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;
