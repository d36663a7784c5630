/** Turns stored events back into a job's events, for those who follow it. */
import type { HostResult, Job, JobEvent } from './job.ts';
import { hostEventIn, type StoredJobEvent } from './job-schema.ts';

/** Returns a decoder of stored events; one per job, from its first event on. */
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
      case 'host-event': {
        const inner = hostEventIn(event);
        return inner === undefined ? undefined : { ...event, event: inner };
      }
      default:
        return event;
    }
  };
}
