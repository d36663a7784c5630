/** Parsers of option values. Commander puts the option in front of our messages. */

import { messageOf } from '../../errors.ts';
import { MAX_DURATION_MS, parseDuration, typedDuration } from '../../util/duration.ts';
import { parseShare, type Share } from '../../util/share.ts';
import { InvalidArgumentError } from '../commander.ts';

/** Milliseconds, within bounds. */
export const durationOf =
  (least: number, most = MAX_DURATION_MS) =>
  (value: string): number => {
    const ms = parsed(value);
    if (ms >= least && ms <= most) return ms;
    throw new InvalidArgumentError(`It must be from ${typedDuration(least)} to ${typedDuration(most)}.`);
  };

/** Milliseconds; may be 0. */
export const duration = durationOf(0);

function parsed(value: string): number {
  try {
    return parseDuration(value);
  } catch (error) {
    const place = /column \d+/.exec(messageOf(error))?.[0];
    if (place === undefined) return Number.POSITIVE_INFINITY;
    throw new InvalidArgumentError(
      `It is not a duration, see ${place}. Write it like 90s, 10m, 1h30m or a bare number of seconds.`,
    );
  }
}

export const whole = (least: number, most: number) => (value: string) => {
  const number = Number(value);
  if (/^\d{1,9}$/.test(value) && number >= least && number <= most) return number;
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`);
};

/** `5` or `10%`, of at least `least`. */
export const share =
  (least: number) =>
  (value: string): Share => {
    const parsed = parseShare(value);
    if (parsed !== undefined && parsed.count >= least) return parsed;
    throw new InvalidArgumentError('Write a number of hosts, 5, or a share of them, 10%.');
  };

/** `a,b`; repeated, they add up. */
export const list = (value: string, before: string[] = []) => [
  ...before,
  ...value.split(',').map((one) => one.trim()),
];
