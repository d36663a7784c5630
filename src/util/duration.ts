/** Durations as people type them (`90s`, `10m`, `1h30m`) and as we show them. */
import { KickError } from '../errors.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A hundred years, in milliseconds: longer than any wait, and a time plus this is still a time. */
export const MAX_DURATION_MS = 36_525 * 86_400_000;

/**
 * Parses a duration to milliseconds; a bare number is seconds. Throws `KickError` `usage` naming `what` and
 * the column of the first wrong character, or the bound.
 */
export function parseDuration(text: string, what = 'duration'): number {
  const total = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : sumOfParts(text, what);
  if (total <= MAX_DURATION_MS) return total;
  throw new KickError('usage', `${what}: "${text}" is longer than ${typedDuration(MAX_DURATION_MS)}`);
}

function sumOfParts(text: string, what: string): number {
  const part = /(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h|d)/y;
  let total = 0;
  let at = 0;
  while (at < text.length) {
    part.lastIndex = at;
    const match = part.exec(text);
    if (match === null) break;
    total += Number(match[1]) * (UNITS[match[2] ?? ''] ?? 0);
    at = part.lastIndex;
  }
  if (text === '' || at < text.length) {
    throw new KickError('usage', `${what}: "${text}" is not a duration, see column ${at + 1}`, {
      hint: 'write it like 90s, 10m, 1h30m, 2d or a bare number of seconds',
    });
  }
  return Math.round(total);
}

/** A bound as people would type it, in the largest unit that it is a multiple of: `7d`. */
export function typedDuration(ms: number): string {
  const [name, unit] = Object.entries(UNITS).findLast(([, size]) => ms >= size && ms % size === 0) ?? [
    'ms',
    1,
  ];
  return `${ms / unit}${name}`;
}

/** A duration for people: `180ms`, `24s`, `4m 10s`, `2h 05m`, `3d 4h`. */
export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))}ms`;
  const s = Math.round(ms / 1000);
  if (s < 60) return `${s}s`;
  const two = (n: number) => String(n).padStart(2, '0');
  if (s < 3600) return `${Math.floor(s / 60)}m ${two(s % 60)}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h ${two(Math.floor((s % 3600) / 60))}m`;
  return `${Math.floor(s / 86_400)}d ${Math.floor((s % 86_400) / 3600)}h`;
}
