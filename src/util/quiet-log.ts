/** Keeps strangers from filling the log: a limited number of lines per minute, then a count. */
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';

const LINES = 10;
const WHILE_MS = 60_000;

export type QuietLog = (fields: object, message: string) => void;

/** Logs ten lines per minute, by default at `info`; the first line of the next minute says how many were left out. */
export function quietLog(log: Log, clock: Clock, { level = 'info' as keyof Log } = {}): QuietLog {
  let began = clock.monotonic();
  let lines = 0;
  return (fields, message) => {
    const now = clock.monotonic();
    let leftOut = 0;
    if (now - began >= WHILE_MS) {
      leftOut = Math.max(0, lines - LINES);
      began = now;
      lines = 0;
    }
    lines++;
    if (lines > LINES) return;
    log[level](leftOut > 0 ? { ...fields, leftOut } : fields, message);
  };
}
