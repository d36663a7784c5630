/** The file of a job's events: lines that are read in chunks and decoded one by one. */
import { constants } from 'node:fs';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { lineDecoder } from '../../util/json.ts';
import { cutTornLine, type LinesRead, readLines } from '../../util/line-file.ts';
import { openOwnFile } from '../../util/regular-file.ts';
import { EVENT_LINES, type StoredJobEvent } from './job-schema.ts';

/** Bytes of events read at once. */
const CHUNK = 4 << 20;

/** Bytes of a line that is read: a result with all that a host has changed. */
const MAX_LINE = 64 << 20;

export interface EventsRead {
  events: StoredJobEvent[];
  /** Where the next ones will begin. */
  next: number;
  /** Lines that could not be read. */
  bad: number;
}

/** Reads events from byte `from` on; none if there is no file. Throws `KickError` `state`. */
export async function readEvents(path: string, from: number): Promise<EventsRead> {
  const { lines, next } = await linesFrom(path, from);
  const decode = lineDecoder(EVENT_LINES);
  const events: StoredJobEvent[] = [];
  let bad = 0;
  for (const line of lines) {
    if (line === '') continue;
    const event = typeof line === 'string' ? decode(line) : undefined;
    if (event === undefined) bad += 1;
    else events.push(event);
  }
  return { events, next, bad };
}

async function linesFrom(path: string, from: number): Promise<LinesRead> {
  try {
    const handle = await openOwnFile(path);
    try {
      const read = await readLines(handle, from, CHUNK);
      const [bytes] = read.lines;
      const isLong = typeof bytes === 'number' && bytes < MAX_LINE;
      return isLong ? await readLines(handle, from, bytes + 1) : read;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { lines: [], next: from };
    throw new KickError('state', `read the events in "${path}": ${messageOf(error)}`, { cause: error });
  }
}

/**
 * Removes the partial line that a kill -9 in the middle of a write leaves behind. Throws `NotAFile` or the system's error.
 */
export async function dropTornLine(path: string): Promise<void> {
  const handle = await openOwnFile(path, constants.O_RDWR);
  try {
    await cutTornLine(handle, CHUNK);
  } finally {
    await handle.close();
  }
}
