/** A job as it happens, from its log: for anybody but its own controller. */
import { KickError } from '../errors.ts';
import { sleep } from '../util/clock.ts';
import { shortId } from '../util/uuid.ts';
import type { JobEvent } from './jobs/job.ts';
import type { JobStore } from './jobs/job-store.ts';
import { storedJob } from './jobs/read-job.ts';
import { createReplay } from './jobs/replay.ts';
import { watchFolder } from './stop-orders.ts';

/** Milliseconds between checks, in case the file system reports no changes. */
const LOOK_MS = 500;

/**
 * Yields a job's events from the first one; ends after `job-done` or when `signal` aborts. Throws `KickError` `state` if
 * the job is not over and nobody runs it.
 */
export async function* followJob(
  store: JobStore,
  text: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<JobEvent, void, undefined> {
  const { job } = await storedJob(store, text);
  const replay = createReplay(job);
  let changed = new AbortController();
  const close = watchFolder(store.folderOf(job.id), () => changed.abort());
  try {
    for (let from = 0; signal?.aborted !== true; ) {
      changed = new AbortController();
      // The holder first, then the events: a dead controller writes nothing more.
      const holder = store.holderOf(job.id);
      const { events, next } = await store.eventsFrom(job.id, from);
      for (const [index, stored] of events.entries()) {
        const event = replay(stored);
        if (event === undefined) continue;
        yield event;
        const isLast = event.type === 'job-done' && index === events.length - 1;
        // A job that was resumed goes on after its `job-done`.
        if (isLast && (await store.eventsFrom(job.id, next)).next === next) return;
      }
      if (next === from && holder === undefined) throw died(job.id);
      const wake = signal === undefined ? changed.signal : AbortSignal.any([changed.signal, signal]);
      if (next === from) await sleep(LOOK_MS, wake);
      from = next;
    }
  } finally {
    close();
  }
}

function died(id: string): KickError {
  return new KickError('state', `watch the job ${shortId(id)}: its controller died before it was over`, {
    hint: `kick jobs resume ${shortId(id)}`,
  });
}
