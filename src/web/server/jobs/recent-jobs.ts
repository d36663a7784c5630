/**
 * Jobs as they were a moment ago: a page of hosts, or a look whether a job still runs, must not read the log of ten thousand
 * hosts again for each of a hundred people. The longer a reading took, the longer it is good, so that all of them together
 * take a small part of a processor.
 */
import type { Controller } from '../../../controller/controller.ts';
import type { StoredJob } from '../../../controller/jobs/stored-job.ts';

/** Of the time that the reading took, and at most; milliseconds. */
const TIMES_AS_LONG = 8;
const MOST_MS = 3000;
/** Of a job that runs elsewhere, whose end nobody tells us. */
const MOST_ELSEWHERE_MS = 500;
const MOST_JOBS = 20;

interface Read {
  /** On the monotonic clock. */
  until: number;
  /** Whether it ran here. */
  wasHere: boolean;
  stored: Promise<StoredJob>;
}

export interface RecentJobs {
  /** Reads a job, named as everywhere. One whose running here begins or ends is read anew. */
  read(text: string): Promise<StoredJob>;
  /** Reads a job anew from now on: people are about to hear that it is over. */
  forget(id: string): void;
}

export function openRecentJobs(
  { job, clock }: Pick<Controller, 'job' | 'clock'>,
  isHere: (id: string) => boolean,
): RecentJobs {
  const recent = new Map<string, Read>();
  const read = (text: string) => {
    const from = clock.monotonic();
    for (const [id, { until }] of recent) if (until <= from || recent.size > MOST_JOBS) recent.delete(id);
    const known = recent.get(text);
    const wasHere = isHere(text);
    if (known?.wasHere === wasHere) return known.stored;
    const stored = job(text);
    // The last job is another one by and by.
    if (text === 'last') return stored;
    const entry: Read = { until: Number.POSITIVE_INFINITY, wasHere, stored };
    recent.set(text, entry);
    stored.then(
      ({ endedAt }) => {
        const now = clock.monotonic();
        const most = wasHere || endedAt !== undefined ? MOST_MS : MOST_ELSEWHERE_MS;
        entry.until = now + Math.min((now - from) * TIMES_AS_LONG, most);
      },
      () => recent.get(text) === entry && recent.delete(text),
    );
    return stored;
  };
  return { read, forget: (id) => void recent.delete(id) };
}
