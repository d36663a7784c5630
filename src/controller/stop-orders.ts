/** Orders to stop a job, which others write into its folder. */
import { watch } from 'node:fs';
import { type JobStore, ORDER_FILE } from './jobs/job-store.ts';

export interface Orders {
  /** Start no more hosts. */
  stop: AbortSignal;
  /** Also end what runs. */
  cancel: AbortSignal;
  close(): void;
}

/** Milliseconds between looks for an order, where no event of the file system announces it. */
const LOOK_MS = 1000;

export function watchOrders(store: JobStore, id: string): Orders {
  const [stop, cancel] = [new AbortController(), new AbortController()];
  const look = async () => {
    const order = await store.ordered(id);
    if (order === undefined) return;
    if (order.cancel) cancel.abort();
    else stop.abort();
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  const close = watchFolder(store.folderOf(id), (name) => {
    // The job's own log grows in this folder, too: each of its writes comes by here.
    if (name === ORDER_FILE) void look();
  });
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
 * Calls `onChange` with the name of what changes in a folder, where the system says so; where it does not (inotify is
 * exhausted, the folder is gone) never. Returns a function that ends it.
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
