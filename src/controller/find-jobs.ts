/** The jobs that a controller remembers. */
import type { Outcome } from '../protocol/outcome.ts';
import type { JobSummary } from './jobs/job-index.ts';
import type { JobStore } from './jobs/job-store.ts';
import { outcomeCounts } from './jobs/stored-job.ts';

export interface JobFilter {
  /** The latest; defaults to all. */
  count?: number | undefined;
  /** Not older than this, milliseconds. */
  sinceMs?: number | undefined;
  /** `USER` or `USER@HOST`. */
  by?: string | undefined;
  name?: string | undefined;
  /** With a host that ended so. */
  outcome?: Outcome | undefined;
}

/** `died`: nobody runs it, and it is not over; `damaged`: its folder cannot be read. */
export type JobState = 'running' | 'done' | 'died' | 'damaged';

export type FoundJob = JobSummary & { state: JobState };

/** The oldest first. */
export async function findJobs(store: JobStore, filter: JobFilter, now: number): Promise<FoundJob[]> {
  const tests = testsOf(filter, now);
  const { count = Number.POSITIVE_INFINITY } = filter;
  // Of a long list only what is shown is read, where nothing else can say what that is.
  const jobs = await store.index.list(tests.length === 0 ? filter.count : undefined);
  const fitting = jobs.filter((job) => tests.every((fits) => fits(job)));
  const found: FoundJob[] = [];
  for (const job of fitting.slice(Math.max(0, fitting.length - count))) {
    found.push(job.endedAt === undefined ? await withState(store, job) : { ...job, state: 'done' });
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
  // It was over, and its controller was killed before it could add that to the index.
  return { ...job, endedAt: stored.endedAt, counts: outcomeCounts(stored.results.values()), state: 'done' };
}
