/** The latest jobs of one host, and what became of it in each. */
import type { Clock } from '../util/clock.ts';
import type { HostResult } from './jobs/job.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { JobSummary } from './jobs/job-summary.ts';

/** Jobs that are read, and milliseconds in all: each of a thousand hosts' jobs is a file of some megabytes. */
const MAX_READ = 200;
const MAX_MS = 3000;

export interface HostJob {
  job: JobSummary;
  /** Absent: no outcome yet. */
  result?: HostResult | undefined;
}

export interface HostJobs {
  /** The latest first. */
  jobs: HostJob[];
  /** Older jobs have not been looked at. */
  isCut: boolean;
}

/** At most `count` jobs of the latest `MAX_READ`. */
export async function jobsOfHost(
  store: JobStore,
  certname: string,
  { count, clock }: { count: number; clock: Clock },
): Promise<HostJobs> {
  const until = clock.monotonic() + MAX_MS;
  const latest = (await store.index.list(MAX_READ)).reverse();
  const jobs: HostJob[] = [];
  for (const job of latest) {
    if (jobs.length >= count || clock.monotonic() > until) return { jobs, isCut: true };
    const stored = await store.read(job.id).catch(() => undefined);
    if (stored?.job.targets.some((target) => target.certname === certname) !== true) continue;
    jobs.push({ job, result: stored.results.get(certname) });
  }
  return { jobs, isCut: latest.length === MAX_READ };
}
