/** Times as people read them, in local time. All are milliseconds since 1970. */

/** Local time of day, `15:31:02`. */
export function clockTime(ms: number): string {
  return new Date(ms).toTimeString().slice(0, 8);
}

/** Local time of day, with the date where that is not today: `2026-11-22 15:31:02`. */
export function dayTime(ms: number, now = Date.now()): string {
  const isToday = new Date(ms).toDateString() === new Date(now).toDateString();
  return isToday ? clockTime(ms) : dateTime(ms).slice(0, 19);
}

/** Local time with its offset, `2026-11-23 15:31:05 +0800`. */
export function dateTime(ms: number): string {
  const date = new Date(ms);
  const offset = -date.getTimezoneOffset();
  const local = new Date(ms + offset * 60_000).toISOString().slice(0, 19).replace('T', ' ');
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return `${local} ${offset < 0 ? '-' : '+'}${two(Math.abs(offset) / 60)}${two(Math.abs(offset) % 60)}`;
}

/** `9 minutes ago`. */
export function agoText(ms: number): string {
  const units: [number, string][] = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ];
  const [size, name] = units.find(([unit]) => ms >= 2 * unit || (unit === 60_000 && ms >= unit)) ?? [
    1000,
    'second',
  ];
  const count = Math.max(0, Math.floor(ms / size));
  return `${count} ${name}${count === 1 ? '' : 's'} ago`;
}

/** `18:00` today, else with its date; local time. */
export function timeText(ms: number, now: number): string {
  const [then, today] = [new Date(ms), new Date(now)];
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(then.getHours())}:${two(then.getMinutes())}`;
  if (then.toDateString() === today.toDateString()) return time;
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())} ${time}`;
}
