/** A job's events as they happened, from what is written down: for whoever watches it. */
import type { HostResult, Job, JobEvent } from './job.ts';
import type { StoredJobEvent } from './job-record.ts';

/** Gives each stored event as it was told; one replayer a job, from its first event on. */
export function createReplay(job: Job): (event: StoredJobEvent) => JobEvent | undefined {
  const results = new Map<string, HostResult>();
  return (event) => {
    switch (event.type) {
      case 'signer':
      case 'request-signed':
        return undefined;
      case 'job-started':
        return { ...event, job };
      case 'job-done':
        return { ...event, results: job.targets.flatMap(({ certname }) => results.get(certname) ?? []) };
      case 'host-done':
        results.set(event.result.certname, event.result);
        return event;
      default:
        return event;
    }
  };
}
