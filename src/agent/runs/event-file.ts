/**
 * Events on disk, one JSON object a line, appended and never changed. A line that a killed agent
 * left half written counts as not written.
 */
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';
import { type Event, MAX_EVENT_BYTES } from '../../protocol/event.ts';

/** An event as it is kept: its number within a request's stream follows from where it stands. */
export type KeptEvent = Event & {
  at: number;
  /** In a request's own file: its number in the stream. */
  seq?: number;
  /** In a run's file, for `log`: how far this event has read the run's files (see output.ts). */
  read?: Record<string, number>;
};

export const EVENT_FILE = 'events.ndjson';

/** An outcome must survive a power cut: it is on the disk when this resolves. */
export async function appendEvents(path: string, events: readonly KeptEvent[]): Promise<void> {
  const handle = await open(path, 'a', 0o600);
  try {
    await handle.writeFile(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    if (events.some(({ type }) => type === 'finished')) await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Longer than the longest event, so that a chunk always holds a whole line. */
const CHUNK = 4 * MAX_EVENT_BYTES;

export interface EventChunk {
  events: KeptEvent[];
  /** The byte after the last of them: where to go on. */
  offset: number;
}

/**
 * The next events of a file from a byte on, a chunk at the most. None at the end, or without a file. A file that is
 * shorter than what was read of it is another one, and is read from its beginning.
 */
export async function readEvents(path: string, offset = 0): Promise<EventChunk> {
  const { bytes, from } = await readChunk(path, offset);
  const end = bytes.lastIndexOf(0x0a) + 1;
  const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
  return { events: lines.map((line) => JSON.parse(line) as KeptEvent), offset: from + end };
}

/** All events that `read` gives, chunk after chunk. */
export async function allEvents<E>(
  read: (offset: number) => Promise<{ events: E[]; offset: number }>,
): Promise<E[]> {
  const all: E[] = [];
  for (let offset = 0; ; ) {
    const chunk = await read(offset);
    if (chunk.events.length === 0) return all;
    all.push(...chunk.events);
    offset = chunk.offset;
  }
}

async function readChunk(path: string, offset: number): Promise<{ bytes: Buffer; from: number }> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { bytes: Buffer.alloc(0), from: offset };
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const from = offset > size ? 0 : offset;
    const buffer = Buffer.alloc(Math.min(CHUNK, size - from));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
    return { bytes: buffer.subarray(0, bytesRead), from };
  } finally {
    await handle.close();
  }
}

/**
 * Cuts off a half written last line, so that the next append begins a line of its own, and whatever a power cut has left
 * from the first line on that is no event.
 */
export async function mendEvents(path: string): Promise<void> {
  try {
    const bytes = await readFile(path);
    const end = endOfEvents(bytes);
    if (end < bytes.length) await truncate(path, end);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

function endOfEvents(bytes: Buffer): number {
  for (let from = 0; ; ) {
    const newline = bytes.indexOf(0x0a, from);
    if (newline < 0 || !isObject(bytes.toString('utf8', from, newline))) return from;
    from = newline + 1;
  }
}

function isObject(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
