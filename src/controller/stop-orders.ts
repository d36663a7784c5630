/** Orders to stop a job, written into its folder by other processes. */
import { watch } from 'node:fs';
import { type JobStore, ORDER_FILE } from './jobs/job-store.ts';

export interface Orders {
  /** Start no more hosts; the reason is who said so. */
  stop: AbortSignal;
  /** Also end the runs in progress. */
  cancel: AbortSignal;
  close(): void;
}

/** Milliseconds between checks for an order, in case the file system reports no changes. */
const LOOK_MS = 1000;

/** What is ordered already is known when it resolves. */
export async function watchOrders(store: JobStore, id: string): Promise<Orders> {
  const [stop, cancel] = [new AbortController(), new AbortController()];
  const look = async () => {
    const order = await store.ordered(id);
    if (order === undefined) return;
    if (order.cancel) cancel.abort(order.by);
    else stop.abort(order.by);
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  const close = watchFolder(store.folderOf(id), (name) => {
    // Every write to the job's own log in this folder is reported here as well.
    if (name === ORDER_FILE) void look();
  });
  await look();
  return {
    stop: stop.signal,
    cancel: cancel.signal,
    close() {
      clearInterval(timer);
      close();
    },
  };
}

/**
 * Calls `onChange` with the name of each file that changes in a folder; never, if the system reports no changes (inotify
 * is exhausted, the folder is gone). Returns a function that stops it.
 */
export function watchFolder(folder: string, onChange: (name: string | null) => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, (_what, name) => onChange(name));
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => {};
  }
}
