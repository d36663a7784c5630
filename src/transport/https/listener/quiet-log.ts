/** A stranger must not be able to fill the log: so many lines a while, then a count. */
import type { Clock } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';

const LINES = 10;
const WHILE_MS = 60_000;

export type QuietLog = (fields: object, message: string) => void;

/** Logs at `info`, ten lines a minute; the first line of the next minute says how many were left out. */
export function quietLog(log: Log, clock: Clock): QuietLog {
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
    log.info(leftOut > 0 ? { ...fields, leftOut } : fields, message);
  };
}
