/** When to check a run's folder: when it changes, when its wrapper ends, and at intervals in any case. */
import { watch } from 'node:fs';
import type { RunProcess } from './run-process.ts';

/** Milliseconds between checks. */
const POLL_MS = 100;
/** The same while the folder is watched and the wrapper is our own child, whose end wakes us. */
const WATCHED_POLL_MS = 1000;

export interface LookOut {
  /** Resolves when it is time for the next check. */
  next(): Promise<void>;
  wake(): void;
  /** Watches the folder; returns a function that stops it. */
  watch(dir: string): () => void;
}

/** `hasChild`: the wrapper is our own child. */
export function createLookOut(process: RunProcess, hasChild: boolean): LookOut {
  let isWatched = true;
  let wake = () => {};
  return {
    wake: () => wake(),
    next: () =>
      new Promise<void>((resolve) => {
        const isQuick = !isWatched || !hasChild || process.isWrapperGone();
        const longest = isQuick ? POLL_MS : Math.min(WATCHED_POLL_MS, process.leftMs());
        const timer = setTimeout(resolve, Math.max(POLL_MS, longest));
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    watch(dir) {
      // Polls if the system has no watches left.
      const onLost = () => {
        isWatched = false;
      };
      try {
        const watcher = watch(dir, () => wake());
        watcher.on('error', onLost);
        return () => watcher.close();
      } catch {
        onLost();
        return () => {};
      }
    },
  };
}
