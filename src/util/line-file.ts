/**
 * Files of lines that are appended and never changed, read in chunks. A line without its end is being written, or was when
 * its writer died. A line that is longer than any that we write is passed over.
 */
import type { FileHandle } from 'node:fs/promises';
import { readFrom } from './regular-file.ts';

const NEWLINE = 0x0a;

/** Bytes without the end of a line that are looked through: a hole in a file may be larger than any disk. */
const MAX_SOUGHT = 128 << 20;

export interface LinesRead {
  /** Without their ends. A line that is longer than a chunk is a number: how many bytes it has. */
  lines: (string | number)[];
  /** The byte after the last of them: where to continue. */
  next: number;
}

/**
 * Reads the whole lines in `first` bytes from byte `from` on, or if none ends there in more, at most `chunk`; none at the end
 * of the file. After 128 MB without the end of a line, which none that we write has, the rest of the file is one that is passed over.
 */
export async function readLines(
  handle: FileHandle,
  from: number,
  chunk: number,
  first = chunk,
): Promise<LinesRead> {
  const { size } = await handle.stat();
  const bytes = await readFrom(handle, from, Math.min(first, size - from));
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (end > 0) {
    return { lines: bytes.toString('utf8', 0, end - 1).split('\n'), next: from + end };
  }
  if (bytes.length < first) return { lines: [], next: from };
  if (first < chunk) return readLines(handle, from, chunk, Math.min(chunk, 2 * first));
  const next = await afterNewline(handle, from + bytes.length, chunk);
  return next === undefined ? { lines: [], next: from } : { lines: [next - from - 1], next };
}

async function afterNewline(handle: FileHandle, from: number, chunk: number): Promise<number | undefined> {
  for (let at = from; at - from < MAX_SOUGHT; ) {
    const bytes = await readFrom(handle, at, chunk);
    if (bytes.length === 0) return undefined;
    const found = bytes.indexOf(NEWLINE);
    if (found >= 0) return at + found + 1;
    at += bytes.length;
  }
  return (await handle.stat()).size;
}

/** Cuts off a line without its end, if there is one at the end of the file; returns the size. */
export async function cutTornLine(handle: FileHandle, chunk: number): Promise<number> {
  const { size } = await handle.stat();
  const end = (await lastEnd(handle, size, chunk)) ?? (await firstEndless(handle, chunk));
  if (end < size) await handle.truncate(end);
  return end;
}

/** The byte after the last whole line, 0 if there is none; undefined if it is far from the end. */
async function lastEnd(handle: FileHandle, size: number, chunk: number): Promise<number | undefined> {
  for (let end = size; size - end < MAX_SOUGHT; ) {
    const from = Math.max(0, end - chunk);
    const newline = (await readFrom(handle, from, end - from)).lastIndexOf(NEWLINE);
    if (newline >= 0) return from + newline + 1;
    if (from === 0) return 0;
    end = from;
  }
  return undefined;
}

/** Where the line begins that has no end, from the front. */
async function firstEndless(handle: FileHandle, chunk: number): Promise<number> {
  for (let from = 0; ; ) {
    const { lines, next } = await readLines(handle, from, chunk);
    const [first] = lines;
    if (next === from || (typeof first === 'number' && first >= MAX_SOUGHT)) return from;
    from = next;
  }
}
