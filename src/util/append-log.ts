/**
 * A file that grows line by line without holding up the event loop: what comes while a write is under
 * way is the next write. Whole lines, in order, one write after another, so that only the
 * end can be missing, whatever dies.
 */
import { close, write } from 'node:fs';
import { promisify } from 'node:util';
import { sleep } from './clock.ts';

const writeTo = promisify(write);
const closeFile = promisify(close);
const nextTurn = promisify(setImmediate);

/** Milliseconds between two writes: each costs a turn of a thread, and one write can hold the events of many hosts. */
const BETWEEN_MS = 10;

/** Milliseconds that callbacks may take before others have their turn. */
const CALL_BACK_MS = 10;

/** Bytes that may wait before callers that can wait are asked to. */
const HIGH_WATER = 1 << 20;

export interface AppendLog {
  /** `then` is called when the text is in the file, in order; at once or later when it cannot be. */
  add(text: string, then?: () => void): void;
  /** Resolves when all that was added so far is in the file, or cannot be. */
  written(): Promise<void>;
  /** A promise when much waits to be written: it resolves when there is room. */
  room(): Promise<void> | undefined;
  /** Writes what is left. */
  close(): Promise<void>;
}

interface Entry {
  text: string;
  then?: (() => void) | undefined;
}

/** Calls back in order, and lets others have their turn. */
async function callBack(batch: readonly Entry[]): Promise<void> {
  let since = performance.now();
  for (const { then } of batch) {
    if (performance.now() - since > CALL_BACK_MS) {
      await nextTurn();
      since = performance.now();
    }
    then?.();
  }
}

/** Appends to a file that is open for appending; `onTrouble` is called once when it cannot. */
export function createAppendLog(fd: number, onTrouble: (error: unknown) => void): AppendLog {
  let waiting: Entry[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  let isBroken = false;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      // What the same turn of the event loop adds goes with it.
      await nextTurn();
      const early = BETWEEN_MS - (performance.now() - lastAt);
      if (early > 0 && waitingBytes < HIGH_WATER) await sleep(early);
      const batch = waiting;
      waiting = [];
      waitingBytes = 0;
      if (!isBroken) await writeBatch(Buffer.from(batch.map(({ text }) => text).join('')));
      lastAt = performance.now();
      await callBack(batch);
    }
    writing = undefined;
  }

  async function writeBatch(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return;
    try {
      const { bytesWritten } = await writeTo(fd, bytes);
      // A full disk may take a part of it: then the rest is not kept, and a torn line is dropped later.
      if (bytesWritten !== bytes.length) throw new Error('the disk is full');
    } catch (error) {
      isBroken = true;
      onTrouble(error);
    }
  }

  function add(text: string, then?: () => void): void {
    waiting.push({ text, then });
    waitingBytes += text.length;
    writing ??= writeAll();
  }

  /** Not the end of all writing, which may never come while more is added. */
  const written = () =>
    writing === undefined ? Promise.resolve() : new Promise<void>((resolve) => add('', resolve));

  return {
    add,
    written,
    room: () => (waitingBytes > HIGH_WATER ? written() : undefined),
    async close() {
      await written();
      await closeFile(fd);
    },
  };
}
