/**
 * Turns what a run prints into `log` events. Head and tail are kept, the part in between is counted and
 * dropped, and the run is never blocked by it (docs/security.md, "M: The machine itself").
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Event, LogLine } from '../../protocol/event.ts';
import { systemPath } from '../../util/search-path.ts';
import type { KeptEvent } from './event-file.ts';
import { CHUNK, inEvents, linesOf, SOURCES, type Source, wholeLines } from './output-lines.ts';
import { readAt, sizeOf } from './read-part.ts';
import { RUN_FILES } from './run-files.ts';

export interface OutputLimits {
  /** Bytes of log events kept from the start. */
  head: number;
  /** Bytes kept from the end. */
  tail: number;
  /** Bytes a file may take on the tmpfs once the head is full; beyond that its space is freed. */
  file: number;
}

export const OUTPUT_LIMITS: OutputLimits = { head: 16 << 20, tail: 64 << 10, file: 8 << 20 };

/** For fallocate of util-linux, which flock is part of as well. */
const run = promisify(execFile);

/** How far a run's files have been read; derived from its events, so that the next agent can continue. */
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

type OutputEvent = Event & Pick<KeptEvent, 'read'>;

export interface OutputFollower {
  /** The events for output since the last call; a few at a time. */
  next(): Promise<OutputEvent[]>;
  /** The rest, once the run is over. Call until it returns none. */
  last(): Promise<OutputEvent[]>;
}

/** The files of one run, and how far they have been read. */
interface Files extends OutputState {
  pathOf(source: Source): string;
  limits: OutputLimits;
  /** Up to where space has been freed. */
  freed: Record<Source, number>;
}

export function followOutput(
  dir: string,
  state: OutputState,
  limits: OutputLimits = OUTPUT_LIMITS,
): OutputFollower {
  const pathOf = (source: Source) => join(dir, RUN_FILES[source]);
  const files: Files = { ...state, pathOf, limits, freed: { log: 0, output: 0 } };
  const isFull = () => files.kept >= limits.head;
  let hasTail = false;
  const takeBoth = async (isFinal: boolean) => [
    ...(await take('log', files, isFinal)),
    ...(await take('output', files, isFinal)),
  ];

  return {
    async next() {
      if (!isFull()) return takeBoth(false);
      for (const source of SOURCES) await giveBack(source, files);
      return [];
    },
    async last() {
      if (!isFull()) return takeBoth(true);
      if (hasTail) return [];
      hasTail = true;
      return tailOf(files);
    },
  };
}

/** `isFinal`: the run is over, so that an unterminated last line counts. */
async function take(source: Source, files: Files, isFinal: boolean): Promise<OutputEvent[]> {
  const { read, pathOf } = files;
  const { bytes, size } = await readAt(pathOf(source), read[source], CHUNK);
  const isRest = isFinal && read[source] + bytes.length >= size;
  const end = wholeLines(bytes, isRest);
  if (end === 0) return [];
  read[source] += end;
  const lines = linesOf(source, bytes.subarray(0, end));
  // Only blank lines, which is not the end.
  if (lines.length === 0) return take(source, files, isFinal);
  return inEvents(lines).map((group, index, all) => {
    const event = {
      type: 'log' as const,
      lines: group,
      // Only the last event of a chunk may say that the chunk has been read.
      ...(index === all.length - 1 && { read: { [source]: read[source] } }),
    };
    files.kept += JSON.stringify(event).length;
    return event;
  });
}

/**
 * Frees the space of unwanted output on the tmpfs by punching a hole into the file: the writer is not
 * affected, and nothing written meanwhile is lost.
 */
async function giveBack(source: Source, { read, freed, limits, pathOf }: Files): Promise<void> {
  const path = pathOf(source);
  const size = await sizeOf(path);
  const from = Math.max(read[source], freed[source]);
  const end = size - limits.tail;
  if (end - from < limits.file) return;
  const hole = ['--punch-hole', '--offset', String(from), '--length', String(end - from)];
  await run('fallocate', [...hole, path], { cwd: '/', env: { PATH: systemPath() } });
  freed[source] = end;
}

async function tailOf({ read, limits, pathOf }: Files): Promise<OutputEvent[]> {
  const found: LogLine[] = [];
  let missing = 0;
  for (const source of SOURCES) {
    const size = await sizeOf(pathOf(source));
    const from = Math.max(read[source], size - limits.tail);
    const { bytes } = await readAt(pathOf(source), from, limits.tail);
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
