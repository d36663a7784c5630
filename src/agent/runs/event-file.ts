/**
 * Events on disk, one JSON object per line, appended and never changed. A line that a killed agent or a full disk left half
 * written counts as not written. A line that is no event counts as dropped output, so that the numbers of later events do
 * not change.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import * as v from 'valibot';
import { systemCode } from '../../errors.ts';
import { EVENT_TYPES, EventSchema, MAX_EVENT_BYTES, type StoredEvent } from '../../protocol/event.ts';
import { boundedTime, count, size, time } from '../../util/bounds.ts';
import { fitTo } from '../../util/fit.ts';
import { type LineFormat, lineDecoder } from '../../util/json.ts';
import { cutTornLine, type LinesRead, readLines } from '../../util/line-file.ts';
import { NotAFile, openOwnFile, readFrom } from '../../util/regular-file.ts';

/** A stored event; its number in a request's stream follows from its position. */
const KeptEventSchema = v.intersect([
  v.object({
    at: time,
    /** In a request's own file: its number in the request's stream. */
    seq: v.exactOptional(count),
    /** In a run's file, for `log`: how far the run's output has been read with this event (see output.ts). */
    read: v.exactOptional(v.record(v.picklist(['log', 'output']), size)),
  }),
  EventSchema,
]);

export type KeptEvent = v.InferOutput<typeof KeptEventSchema>;

export const EVENT_FILE = 'events.ndjson';

const { O_RDWR, O_APPEND, O_CREAT } = constants;

/**
 * All of them or none. An outcome must survive a power cut: it is on the disk when this resolves. Throws `NotAFile` or the
 * system's error.
 */
export async function appendEvents(path: string, events: readonly KeptEvent[]): Promise<void> {
  const handle = await openOwnFile(path, O_RDWR | O_APPEND | O_CREAT);
  try {
    const size = await sizeOfWhole(handle);
    try {
      await handle.writeFile(events.map(eventLine).join(''));
      if (events.some(({ type }) => type === 'finished')) await handle.sync();
    } catch (error) {
      // Half a line (the disk is full) would swallow the next one, and with it maybe the outcome.
      await handle.truncate(size).catch(() => {});
      throw error;
    }
  } finally {
    await handle.close();
  }
}

/** The size of its whole lines, to which the file is cut: an earlier write may have failed, and so may its removal. */
async function sizeOfWhole(handle: FileHandle): Promise<number> {
  const { size } = await handle.stat();
  const isWhole = size === 0 || (await readFrom(handle, size - 1, 1))[0] === NEWLINE;
  return isWhole ? size : cutTornLine(handle, CHUNK);
}

/** Bytes of an event as it is stored; its number may be added when it is sent. */
const MAX_KEPT_BYTES = MAX_EVENT_BYTES - 256;

/**
 * As every controller accepts it: what Puppet and others have said may be of any size. Lines of the log are bounded where
 * they are read, and most of what is stored.
 */
export function eventLine(event: KeptEvent): string {
  const fitted = event.type === 'log' ? event : fitTo(KeptEventSchema, event, { maxBytes: MAX_KEPT_BYTES });
  return `${JSON.stringify(fitted ?? bare(event))}\n`;
}

/** The least of an event, which must not be lost because of the rest: the outcome of a run above all. */
function bare(event: KeptEvent): KeptEvent {
  const at = boundedTime(event.at);
  const { seq } = event;
  const place = { at, ...(seq !== undefined && { seq }) };
  if (event.type !== 'finished') return { ...place, type: 'dropped', bytes: 0 };
  return { ...place, type: 'finished', outcome: event.outcome, endedAt: boundedTime(event.endedAt) };
}

/** Longer than any event, so that a chunk always holds a whole line. */
const CHUNK = 4 * MAX_EVENT_BYTES;

/** Bytes in which a first line mostly ends. */
const FIRST_CHUNK = 64 << 10;

/** Bytes of a file; what a run prints is limited to far less (output.ts). */
const MAX_FILE_BYTES = 48 << 20;

const NEWLINE = 0x0a;

/** The file is longer than any that we write. */
export class TooLong extends NotAFile {
  constructor() {
    super('longer than any that kick writes');
  }
}

export interface EventChunk {
  events: KeptEvent[];
  /** The byte after the last event: where to continue. */
  offset: number;
  /** Lines that were no events. */
  bad: number;
}

/**
 * Reads the next events of a file from a byte on: those that end within `bytes`, but at least one. None at the end, or
 * without a file. A file that is shorter than `offset` is a new one and is read from its start. Throws `NotAFile` or the
 * system's error.
 */
export function readEvents(path: string, offset = 0, bytes = CHUNK): Promise<EventChunk> {
  return readChunk(
    path,
    { offset, bytes },
    {
      kept: (event) => event,
      dropped: (bytes, at): KeptEvent => ({ type: 'dropped', bytes, at }),
    },
  );
}

/**
 * The same for a request's own file, in which events have numbers. An event without one, or a line that is no event, gets
 * the number after the last. `last`: the number of the event before `offset`.
 */
export function readOwnEvents(
  path: string,
  offset = 0,
  bytes = CHUNK,
  last = 0,
): Promise<EventChunk & { events: StoredEvent[] }> {
  let before = last;
  return readChunk(
    path,
    { offset, bytes },
    {
      kept(event): StoredEvent {
        before = event.seq ?? before + 1;
        return { ...event, seq: before };
      },
      dropped(bytes, at) {
        before += 1;
        return { type: 'dropped', bytes, at, seq: before };
      },
    },
  );
}

/** What is made of a line. */
interface Making<E> {
  kept(event: KeptEvent): E;
  /** Of one that is no event; `at` is the time of the event before it. */
  dropped(bytes: number, at: number): E;
}

async function readChunk<E extends KeptEvent>(
  path: string,
  place: { offset: number; bytes: number },
  { kept, dropped }: Making<E>,
): Promise<EventChunk & { events: E[] }> {
  const { lines, next } = await linesFrom(path, place);
  const decode = lineDecoder(LINES);
  let at = 0;
  let bad = 0;
  const events = lines.map((line) => {
    const event = typeof line === 'string' ? decode(line) : undefined;
    if (event === undefined) {
      bad += 1;
      return dropped(typeof line === 'string' ? Buffer.byteLength(line) : line, at);
    }
    at = event.at;
    return kept(event);
  });
  return { events, offset: next, bad };
}

const LINES: LineFormat<KeptEvent> = {
  shortest: '{"at":0,"type":"log","lines":[]}'.length,
  isKnown: (value) => EVENT_TYPES.includes((value as { type?: string }).type ?? ''),
  decode(value) {
    const parsed = v.safeParse(KeptEventSchema, value);
    return parsed.success ? parsed.output : undefined;
  },
};

async function linesFrom(
  path: string,
  { offset, bytes }: { offset: number; bytes: number },
): Promise<LinesRead> {
  const handle = await openIfAny(path);
  if (handle === undefined) return { lines: [], next: offset };
  try {
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) throw new TooLong();
    return await readLines(handle, offset > size ? 0 : offset, CHUNK, bytes);
  } finally {
    await handle.close();
  }
}

/**
 * Cuts off a half written last line; returns whether there was one. Throws `NotAFile` or the system's error. `hasEvents`: the
 * file was made with an event, so that one without a whole line is damaged.
 */
export async function mendEvents(path: string, { hasEvents = false } = {}): Promise<boolean> {
  const handle = await openToMend(path);
  if (handle === undefined) return false;
  try {
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) throw new TooLong();
    if (hasEvents && !(await hasLine(handle))) throw new NotAFile('without a whole line');
    return (await sizeOfWhole(handle)) < size;
  } finally {
    await handle.close();
  }
}

/** Undefined also on a file system that has become read-only: nothing is appended there. */
async function openToMend(path: string): Promise<FileHandle | undefined> {
  try {
    return await openIfAny(path, O_RDWR);
  } catch (error) {
    if (systemCode(error) === 'EROFS') return undefined;
    throw error;
  }
}

async function hasLine(handle: FileHandle): Promise<boolean> {
  const { lines } = await readLines(handle, 0, FIRST_CHUNK);
  return lines.length > 0;
}

async function openIfAny(path: string, flags?: number): Promise<FileHandle | undefined> {
  try {
    return await openOwnFile(path, flags);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
