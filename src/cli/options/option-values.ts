/** What the text of an option means. Commander prefixes the option; the message of ours says the rest. */
import { InvalidArgumentError } from 'commander';
import { messageOf } from '../../errors.ts';
import { parseDuration } from '../../util/duration.ts';
import { parseShare, type Share } from '../../util/share.ts';

/** Milliseconds. */
export function duration(value: string): number {
  try {
    return parseDuration(value);
  } catch (error) {
    const place = /column \d+/.exec(messageOf(error))?.[0] ?? '';
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
