/**
 * Times as text: for people in local time, for programs in UTC. All are milliseconds since 1970. Nothing here throws: what no
 * calendar has is shown as the nearest time that one has.
 */
import { boundedTime } from './bounds.ts';

/** The one place where a number becomes a `Date`, one that every calendar has. */
export const dateOf = (ms: number) => new Date(boundedTime(ms));

/** Whether there is such a time zone: `Europe/Berlin`. */
export function isTimeZone(zone: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined;
  } catch {
    return false;
  }
}

/** RFC 3339 in UTC, `2026-11-23T07:31:05.000Z`. */
export function isoTime(ms: number): string {
  return dateOf(ms).toISOString();
}

/** Local time of day, `15:31:02`. */
export function clockTime(ms: number): string {
  return dateOf(ms).toTimeString().slice(0, 8);
}

/** Local time of day, with the date if that is not today: `2026-11-22 15:31:02`. */
export function dayTime(ms: number, now = Date.now()): string {
  const isToday = dateOf(ms).toDateString() === dateOf(now).toDateString();
  return isToday ? clockTime(ms) : dateTime(ms).slice(0, 19);
}

/** Local time with its offset, `2026-11-23 15:31:05 +0800`. */
export function dateTime(ms: number): string {
  const date = dateOf(ms);
  const offset = -date.getTimezoneOffset();
  const local = isoTime(date.getTime() + offset * 60_000)
    .slice(0, 19)
    .replace('T', ' ');
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return `${local} ${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
}

/** `9 minutes ago`, `just now`. */
export function agoText(ms: number): string {
  if (ms < 1000) return 'just now';
  const units: [number, string][] = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ];
  const [size, name] = units.find(([unit]) => ms >= 2 * unit || (unit === 60_000 && ms >= unit)) ?? [
    1000,
    'second',
  ];
  const count = Math.floor(ms / size);
  return `${count} ${name}${count === 1 ? '' : 's'} ago`;
}

/** `18:00` today, else with its date; local time. */
export function timeText(ms: number, now: number): string {
  const [then, today] = [dateOf(ms), dateOf(now)];
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  if (then.toDateString() === today.toDateString()) return time;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}

/** Whether a time is in the future by the host's own clock, as after the clock was set back. */
export function isAhead(at: number, now: number): boolean {
  return at - now > 60_000;
}

/** Behind a time of a host that its own clock has not reached; empty where it has. */
export function aheadWords(at: number, now: number): string {
  return isAhead(at, now) ? ', in the future by its clock' : '';
}
