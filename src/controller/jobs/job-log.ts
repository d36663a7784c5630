/** The file of a job's events: whole lines, read in pieces, each of which is decoded by itself. */
import { open, stat, truncate } from 'node:fs/promises';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { decodeStored, type StoredJobEvent } from './job-record.ts';

/** Bytes of events read at once. */
const CHUNK = 4 << 20;

export interface EventsRead {
  events: StoredJobEvent[];
  /** Where the next ones will begin. */
  next: number;
  /** Lines that could not be read. */
  bad: number;
}

/** Events from `from` bytes on; none where there is no file. Throws `KickError` `state`. */
export async function readEvents(path: string, from: number): Promise<EventsRead> {
  const bytes = await readChunk(path, from);
  const end = bytes.lastIndexOf(0x0a) + 1;
  const events: StoredJobEvent[] = [];
  let bad = 0;
  for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
    if (line === '') continue;
    const event = decodeStored(line);
    if (event === undefined) bad += 1;
    else events.push(event);
  }
  return { events, next: from + end, bad };
}

async function readChunk(path: string, from: number): Promise<Buffer> {
  try {
    const handle = await open(path, 'r');
    try {
      const { size } = await handle.stat();
      const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(0, size - from)));
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return Buffer.alloc(0);
    throw new KickError('state', `read the events in "${path}": ${messageOf(error)}`, { cause: error });
  }
}

/** Removes what a kill -9 in the middle of a write has left: it was never a whole event. */
export async function dropTornLine(path: string): Promise<void> {
  const { size } = await stat(path);
  if (size === 0) return;
  const handle = await open(path, 'r');
  let keep = 0;
  try {
    const tail = Buffer.alloc(Math.min(size, CHUNK));
    await handle.read(tail, 0, tail.length, size - tail.length);
    keep = size - tail.length + tail.lastIndexOf(0x0a) + 1;
  } finally {
    await handle.close();
  }
  if (keep < size) await truncate(path, keep);
}
