/**
 * A file that grows line by line without blocking the event loop: lines that arrive during a write form
 * the next one. Whole lines, in order, one write after another, so that only the end can be missing,
 * whatever dies.
 */
import { close, write } from 'node:fs';
import { promisify } from 'node:util';
import { sleep } from './clock.ts';

const writeTo = promisify(write);
const closeFile = promisify(close);
const nextTurn = promisify(setImmediate);

/** Milliseconds between writes: each takes a thread, and one write can hold the events of many hosts. */
const BETWEEN_MS = 10;

/** Milliseconds that callbacks may take before they yield. */
const CALL_BACK_MS = 10;

/** Bytes that may be waiting before callers are asked to wait, too. */
const HIGH_WATER = 1 << 20;

export interface AppendLog {
  /** Calls `then`, which must not throw, once the text is in the file, in order; at once or later if it cannot be written. */
  add(text: string, then?: () => void): void;
  /** Resolves once everything added so far is in the file, or cannot be. */
  written(): Promise<void>;
  /** If too much is waiting to be written: a promise that resolves once there is room. */
  room(): Promise<void> | undefined;
  /** Writes what is left, and closes the file. Never rejects. */
  close(): Promise<void>;
}

interface Entry {
  text: string;
  then?: (() => void) | undefined;
}

/** Runs callbacks in order, yielding now and then. */
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

/** As the system says it when not even a part fits. */
const diskFull = () => Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });

/** Appends to a file that is open for appending; calls `onTrouble` once if it cannot. */
export function createAppendLog(fd: number, onTrouble: (error: unknown) => void): AppendLog {
  let waiting: Entry[] = [];
  let waitingBytes = 0;
  let writing: Promise<void> | undefined;
  let lastAt = Number.NEGATIVE_INFINITY;
  let isBroken = false;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      // Anything added in the same turn of the event loop goes with it.
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
      // A full disk may take only a part: the rest is lost, and a torn line is dropped later.
      if (bytesWritten !== bytes.length) throw diskFull();
    } catch (error) {
      trouble(error);
    }
  }

  function trouble(error: unknown): void {
    if (!isBroken) onTrouble(error);
    isBroken = true;
  }

  function add(text: string, then?: () => void): void {
    waiting.push({ text, then });
    waitingBytes += text.length;
    writing ??= writeAll();
  }

  /** Waits for what was added so far, not for all writing, which may never end while more is added. */
  const written = () =>
    writing === undefined ? Promise.resolve() : new Promise<void>((resolve) => add('', resolve));

  return {
    add,
    written,
    room: () => (waitingBytes > HIGH_WATER ? written() : undefined),
    async close() {
      await written();
      // Some file systems report only now what they could not write.
      await closeFile(fd).catch(trouble);
    },
  };
}
