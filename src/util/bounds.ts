/**
 * DESIGN 7, "Input that others write": what is sent, stored or configured is within these bounds, one schema each. Within
 * them values can be added, shown and stored again; nothing here throws for a value of any kind.
 */
import * as v from 'valibot';
import { MAX_DURATION_MS } from './duration.ts';

/** UTF-16 units. */
export const text = (max: number) => v.pipe(v.string(), v.maxLength(max));

/** For paths and settings of the host, and whatever else has no bound of its own. */
export const longText = text(65_536);

/** A whole number, both ends included. */
export const whole = (min: number, max: number) =>
  v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));

/** How many there are; up to this, numbers are exact. */
export const count = whole(0, Number.MAX_SAFE_INTEGER);

/** Bytes. */
export const size = count;

/** A measurement of Puppet's: JSON cannot write NaN or infinity, and sums of these stay finite. */
export const measure = v.pipe(
  v.number(),
  v.finite(),
  v.minValue(-Number.MAX_SAFE_INTEGER),
  v.maxValue(Number.MAX_SAFE_INTEGER),
);

/** Milliseconds since 1970: each is a valid `Date` with a four-digit year. */
const FIRST_MS = Date.parse('0001-01-01T00:00:00Z');
export const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');
export const time = whole(FIRST_MS, LAST_MS);

/** Seconds since 1970. */
export const timeInSeconds = whole(0, Math.floor(LAST_MS / 1000));

/** The nearest such time, in milliseconds since 1970: a file may have any time. Of none (NaN) it is 1970. */
export function boundedTime(ms: number): number {
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(Math.round(ms), FIRST_MS), LAST_MS);
}

/** Milliseconds. */
export const duration = v.pipe(v.number(), v.minValue(0), v.maxValue(MAX_DURATION_MS));

/** Seconds in settings of Puppet's, which knows no bound. */
export const clippedSeconds = v.pipe(
  v.number(),
  v.minValue(0),
  v.transform((seconds) => Math.min(seconds, MAX_DURATION_MS / 1000)),
);

/** A duration in a configuration file: `90s`, or a number of seconds. */
export const typedText = v.union([v.string(), v.number()]);

/** TCP. */
export const port = whole(1, 65_535);

/** Text of a pattern, which also bounds its length. */
export const matching = (pattern: RegExp, message: string) => v.pipe(v.string(), v.regex(pattern, message));
