/** The jobs that a controller remembers. */
import type { Outcome } from '../protocol/outcome.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { JobSummary } from './jobs/job-summary.ts';
import { outcomeCounts } from './jobs/stored-job.ts';

export interface JobFilter {
  /** How many of the latest; defaults to all. */
  count?: number | undefined;
  /** Maximum age in milliseconds. */
  sinceMs?: number | undefined;
  /** `USER` or `USER@HOST`. */
  by?: string | undefined;
  name?: string | undefined;
  /** Only jobs with a host that ended like this. */
  outcome?: Outcome | undefined;
}

/** `died`: it is not over, and nobody runs it; `damaged`: its folder cannot be read. */
export type JobState = 'running' | 'done' | 'died' | 'damaged';

export type FoundJob = JobSummary & { state: JobState };

/** Jobs that are over are in the index: whether their folders can be read is only looked at in a list that is no longer. */
const MAX_CHECKED = 100;

/** Oldest first. */
export async function findJobs(store: JobStore, filter: JobFilter, now: number): Promise<FoundJob[]> {
  const tests = testsOf(filter, now);
  const { count = Number.POSITIVE_INFINITY } = filter;
  // Without other conditions only the entries that are shown need to be read.
  const jobs = await store.index.list(tests.length === 0 ? filter.count : undefined);
  const fitting = jobs.filter((job) => tests.every((fits) => fits(job)));
  const found: FoundJob[] = [];
  const shown = fitting.slice(Math.max(0, fitting.length - count));
  for (const job of shown) {
    if (job.endedAt === undefined) found.push(await withState(store, job));
    else if (shown.length > MAX_CHECKED || (await store.isReadable(job.id)))
      found.push({ ...job, state: 'done' });
    else found.push({ ...job, state: 'damaged' });
  }
  return found;
}

function testsOf({ sinceMs, by, name, outcome }: JobFilter, now: number): ((job: JobSummary) => boolean)[] {
  return [
    ...(sinceMs === undefined ? [] : [(job: JobSummary) => now - job.at <= sinceMs]),
    ...(by === undefined ? [] : [(job: JobSummary) => job.by === by || job.by.startsWith(`${by}@`)]),
    ...(name === undefined ? [] : [(job: JobSummary) => job.name === name]),
    ...(outcome === undefined ? [] : [(job: JobSummary) => (job.counts?.[outcome] ?? 0) > 0]),
  ];
}

async function withState(store: JobStore, job: JobSummary): Promise<FoundJob> {
  const { id } = job;
  if (store.holderOf(id) !== undefined) return { ...job, state: 'running' };
  const stored = await store.read(id).catch(() => undefined);
  if (stored?.endedAt === undefined) return { ...job, state: stored === undefined ? 'damaged' : 'died' };
  // It was over, but its controller was killed before it could record that in the index.
  return { ...job, endedAt: stored.endedAt, counts: outcomeCounts(stored.results.values()), state: 'done' };
}
