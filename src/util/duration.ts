/** Durations as people type them (`90s`, `10m`, `1h30m`) and as we show them. */
import { KickError } from '../errors.ts';

const UNITS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds of a duration; a bare number is seconds. Throws `KickError` `usage` naming `what`
 * and the place of the first character that does not fit.
 */
export function parseDuration(text: string, what = 'duration'): number {
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
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
