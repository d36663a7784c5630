/** The log of what runs as a service: JSON lines on stdout, which the journal takes. */
import { writeSync } from 'node:fs';
import { pino } from 'pino';
import { systemCode } from '../errors.ts';
import type { Log } from '../util/log.ts';
import { safeJsonText } from '../util/text.ts';

/** What peers say is in it: whoever reads the journal has a terminal. */
export function jsonLog(level: keyof Log = 'info'): Log {
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, { write: createLineWriter(STDOUT) });
}

const STDOUT = 1;

/** Milliseconds to wait for a reader that does not keep up. */
const BUSY_MS = 20;

/**
 * Returns a writer that waits for a slow reader. A line that cannot be written (a full disk, a reader that went away) costs
 * that line and nothing else; the next one does not go on in the middle of it.
 */
function createLineWriter(descriptor: number): (line: string) => void {
  let isTorn = false;
  return (line) => {
    const bytes = Buffer.from(`${isTorn ? '\n' : ''}${safeJsonText(line)}`);
    let at = 0;
    while (at < bytes.length) {
      try {
        at += writeSync(descriptor, bytes, at);
      } catch (error) {
        if (systemCode(error) !== 'EAGAIN') break;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_MS);
      }
    }
    isTorn = at < bytes.length && (at > 0 || isTorn);
  };
}
