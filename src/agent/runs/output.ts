/**
 * What a run prints becomes `log` events: its head and its tail are kept, what lies between is
 * counted and let go, and the run is never blocked by it (docs/security.md, "Hostile cases").
 */
import { execFile } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { systemCode } from '../../errors.ts';
import { type Event, type LogLine, LogLineSchema } from '../../protocol/event.ts';
import { clip } from '../../util/text.ts';
import type { KeptEvent } from './event-file.ts';
import { RUN_FILES } from './run-store.ts';

export interface OutputLimits {
  /** Bytes of log events that are kept from the beginning. */
  head: number;
  /** Bytes of the end that are kept beside them. */
  tail: number;
  /** Bytes a file may hold on the tmpfs once the head is full; then their space is given back. */
  file: number;
}

export const OUTPUT_LIMITS: OutputLimits = { head: 16 << 20, tail: 64 << 10, file: 8 << 20 };

/** util-linux, where flock comes from, too. */
const run = promisify(execFile);

const SOURCES = ['log', 'output'] as const;
type Source = (typeof SOURCES)[number];

/** Bytes read at once, and of lines in one event (well below MAX_EVENT_BYTES when spelled as JSON). */
const CHUNK = 256 << 10;
const EVENT_LINES_BYTES = 24 << 10;
const MAX_LINE = 8192;
const MAX_LINE_CLIPPED = 2000;

/** How far a run's files have been read; derived from its events, so that an agent that comes back goes on there. */
export interface OutputState {
  read: Record<Source, number>;
  /** Bytes of log events so far. */
  kept: number;
}

export function outputStateOf(events: Iterable<KeptEvent>): OutputState {
  const state: OutputState = { read: { log: 0, output: 0 }, kept: 0 };
  for (const event of events) {
    if (event.type !== 'log') continue;
    state.kept += JSON.stringify(event).length;
    Object.assign(state.read, event.read);
  }
  return state;
}

export interface OutputFollower {
  /** The events for what was written since the last call; at most a few at once. */
  next(): Promise<(Event & Pick<KeptEvent, 'read'>)[]>;
  /** The rest, when the run is over. Call until it gives none. */
  last(): Promise<(Event & Pick<KeptEvent, 'read'>)[]>;
}

export function followOutput(
  dir: string,
  state: OutputState,
  limits: OutputLimits = OUTPUT_LIMITS,
): OutputFollower {
  const { read } = state;
  let kept = state.kept;
  let tailTold = false;
  /** Up to where the space was given back. */
  const freed: Record<Source, number> = { log: 0, output: 0 };
  const fileOf = (source: Source) => join(dir, RUN_FILES[source]);
  const isFull = () => kept >= limits.head;

  async function take(source: Source, final: boolean): Promise<(Event & Pick<KeptEvent, 'read'>)[]> {
    const { bytes, size } = await readAt(fileOf(source), read[source], CHUNK);
    const isRest = final && read[source] + bytes.length >= size;
    const end = wholeLines(bytes, isRest);
    if (end === 0) return [];
    read[source] += end;
    const lines = linesOf(source, bytes.subarray(0, end));
    // Nothing but blank lines: that is not the end of what there is.
    if (lines.length === 0) return take(source, final);
    return inEvents(lines).map((group, index, all) => {
      const event = {
        type: 'log' as const,
        lines: group,
        // Only the last one of a chunk may say that the chunk has been read.
        ...(index === all.length - 1 && { read: { [source]: read[source] } }),
      };
      kept += JSON.stringify(event).length;
      return event;
    });
  }

  /**
   * Gives the space of what will not be read back to the tmpfs, by a hole in the file: whoever writes
   * goes on where it is, and nothing that comes meanwhile is lost.
   */
  async function letGo(source: Source): Promise<void> {
    const path = fileOf(source);
    const size = await sizeOf(path);
    const from = Math.max(read[source], freed[source]);
    const end = size - limits.tail;
    if (end - from < limits.file) return;
    await run('fallocate', ['--punch-hole', '--offset', String(from), '--length', String(end - from), path]);
    freed[source] = end;
  }

  async function tail(): Promise<(Event & Pick<KeptEvent, 'read'>)[]> {
    if (tailTold) return [];
    tailTold = true;
    const found: LogLine[] = [];
    let missing = 0;
    for (const source of SOURCES) {
      const size = await sizeOf(fileOf(source));
      const from = Math.max(read[source], size - limits.tail);
      const { bytes } = await readAt(fileOf(source), from, limits.tail);
      missing += from - read[source];
      read[source] = size;
      found.push(...linesOf(source, bytes));
    }
    if (missing <= 0 && found.length === 0) return [];
    return [
      { type: 'dropped', bytes: missing },
      ...inEvents(found).map((lines) => ({ type: 'log' as const, lines })),
    ];
  }

  return {
    async next() {
      if (isFull()) {
        for (const source of SOURCES) await letGo(source);
        return [];
      }
      return [...(await take('log', false)), ...(await take('output', false))];
    },
    async last() {
      if (isFull()) return tail();
      return [...(await take('log', true)), ...(await take('output', true))];
    },
  };
}

/** Where the last whole line ends; a line longer than the chunk, or the rest of all, counts as whole. */
function wholeLines(bytes: Buffer, isRest: boolean): number {
  if (isRest || (bytes.length >= CHUNK && !bytes.includes(0x0a))) return bytes.length;
  return bytes.lastIndexOf(0x0a) + 1;
}

function splitLines(bytes: Buffer): string[] {
  return bytes
    .toString('utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

function linesOf(source: Source, bytes: Buffer): LogLine[] {
  return splitLines(bytes).map((text) => (source === 'log' ? parseLogLine(text) : outputLine(text)));
}

function outputLine(text: string): LogLine {
  return { level: 'output', message: clip(text, MAX_LINE_CLIPPED) };
}

/**
 * A line of the log that is no record: a piece of one that is too long, or begins before what was kept. Its source
 * tells it from the console, where Ruby itself may have the last word (see log-findings.ts).
 */
function brokenRecord(text: string): LogLine {
  return { ...outputLine(text), source: RUN_FILES.log };
}

/** One record of Puppet's --logdest FILE.jsonl. */
export function parseLogLine(text: string): LogLine {
  try {
    const record: unknown = JSON.parse(text);
    if (typeof record !== 'object' || record === null) return brokenRecord(text);
    const { level, message, source, file, line } = record as Record<string, unknown>;
    return v.parse(LogLineSchema, {
      level,
      message: clip(String(message ?? ''), MAX_LINE),
      ...(typeof source === 'string' && { source: clip(source, 1024) }),
      ...(typeof file === 'string' && { file: clip(file, 1024) }),
      ...(typeof line === 'number' && { line }),
    });
  } catch {
    return brokenRecord(text);
  }
}

function inEvents(lines: readonly LogLine[]): LogLine[][] {
  const groups: LogLine[][] = [];
  let bytes = 0;
  for (const line of lines) {
    const size = Buffer.byteLength(JSON.stringify(line)) + 1;
    const group = groups.at(-1);
    if (group === undefined || bytes + size > EVENT_LINES_BYTES) {
      groups.push([line]);
      bytes = size;
    } else {
      group.push(line);
      bytes += size;
    }
  }
  return groups;
}

async function readAt(
  path: string,
  offset: number,
  length: number,
): Promise<{ bytes: Buffer; size: number }> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { bytes: Buffer.alloc(0), size: 0 };
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(length, Math.max(0, size - offset)));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
    return { bytes: buffer.subarray(0, bytesRead), size };
  } finally {
    await handle.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  return (await readAt(path, 0, 0)).size;
}
