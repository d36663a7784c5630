/**
 * Events on disk, one JSON object a line, appended and never changed. A line that a killed agent
 * left half written counts as not written. A line that is no event of ours counts as output that was
 * not kept: the numbers of those behind it stay what they were.
 */
import { type FileHandle, open, readFile, truncate } from 'node:fs/promises';
import * as v from 'valibot';
import { systemCode } from '../../errors.ts';
import { EventSchema, MAX_EVENT_BYTES, type StoredEvent } from '../../protocol/event.ts';

const count = v.pipe(v.number(), v.integer(), v.minValue(0));

/** An event as it is kept: its number within a request's stream follows from where it stands. */
const KeptEventSchema = v.intersect([
  v.object({
    at: v.pipe(v.number(), v.integer()),
    /** In a request's own file: its number in the stream. */
    seq: v.exactOptional(count),
    /** In a run's file, for `log`: how far this event has read the run's files (see output.ts). */
    read: v.exactOptional(v.record(v.picklist(['log', 'output']), count)),
  }),
  EventSchema,
]);

export type KeptEvent = v.InferOutput<typeof KeptEventSchema>;

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
  let at = 0;
  const events = lines.map((line) => {
    const event = eventIn(line) ?? { type: 'dropped' as const, bytes: Buffer.byteLength(line), at };
    at = event.at;
    return event;
  });
  return { events, offset: from + end };
}

function eventIn(line: string): KeptEvent | undefined {
  try {
    const parsed = v.safeParse(KeptEventSchema, JSON.parse(line));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The same for a request's own file, where each event has its number. Without one it follows the last one; so does a
 * line that is no event.
 */
export async function readOwnEvents(
  path: string,
  offset = 0,
): Promise<{ events: StoredEvent[]; offset: number }> {
  const found = await readEvents(path, offset);
  let last = 0;
  const events = found.events.map((event): StoredEvent => {
    last = event.seq ?? last + 1;
    return { ...event, seq: last };
  });
  return { events, offset: found.offset };
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
