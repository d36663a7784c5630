/** A job as known from its folder. */
import type { HostResult, Job, StopReason } from './job.ts';
import type { StoredJobEvent } from './job-schema.ts';
import type { Holder } from './lease.ts';

/** How a job is run, besides what it asks of its hosts; needed to resume it. */
export interface JobSettings {
  lostAfterMs: number;
  connectTimeoutMs: number;
  timeoutMs?: number;
  detach?: boolean;
  /** Outcomes that are shown, but do not count for the exit status. */
  accept: readonly string[];
  /** Percentage of hosts that must do as asked. */
  success?: number;
  /** Some hosts were left out because a condition could not be judged for them. */
  partial?: boolean;
  /** Who started it on the web; absent: the command line, or a webhook. */
  account?: string;
  /** kick's version. */
  version: string;
}

/** An operator's order to a running job. */
export interface StopOrder {
  at: number;
  by: string;
  cancel: boolean;
}

export interface StoredJob {
  job: Job;
  settings: JobSettings;
  startedAt: number;
  /** Absent: it is not over, or its controller died. */
  endedAt?: number;
  stopped?: StopReason;
  /** By certname. */
  results: ReadonlyMap<string, HostResult>;
  /** The number of the last event seen, for hosts that a request may have reached; 0: none. */
  asked: ReadonlyMap<string, number>;
  /** Hosts that cannot be reached now and are tried again, and why; by certname. */
  awaited: ReadonlyMap<string, string>;
  /** The holder of its lease, if any. */
  controller?: Holder;
  /** Lines that could not be read. */
  damaged: number;
}

/** What an earlier controller of a job had seen. */
export interface Before {
  /** Hosts that are over. */
  results: ReadonlyMap<string, HostResult>;
  /** The number of the last event seen, for hosts that a request may have reached; 0: none. */
  after: ReadonlyMap<string, number>;
}

/** What a stored job means to the controller that resumes it. */
export function beforeOf({ results, asked }: Pick<StoredJob, 'results' | 'asked'>): Before {
  // Hosts that were left or never started are taken up again.
  const isOver = ({ outcome }: HostResult) => outcome !== 'unfinished' && outcome !== 'not-started';
  return { results: new Map([...results].filter(([, result]) => isOver(result))), after: asked };
}

/** Hosts that were asked and have no known outcome. */
export function unfinished({ job, asked, results }: StoredJob) {
  return job.targets.filter(({ certname }) => {
    const outcome = results.get(certname)?.outcome;
    return asked.has(certname) && (outcome === undefined || outcome === 'unfinished');
  });
}

/** A job's state while its events are read. */
export interface Following {
  results: Map<string, HostResult>;
  asked: Map<string, number>;
  awaited: Map<string, string>;
  end: { endedAt?: number; stopped?: StopReason };
}

export function follow(event: StoredJobEvent, { results, asked, awaited, end }: Following): void {
  if (event.type === 'host-event') awaited.delete(event.certname);
  switch (event.type) {
    case 'job-started':
      // It was resumed.
      delete end.endedAt;
      delete end.stopped;
      break;
    case 'host-dispatched':
      results.delete(event.certname);
      break;
    case 'host-retry':
      awaited.set(event.certname, event.message);
      break;
    case 'request-signed':
      // Requests are written before they are sent: what is not written cannot have arrived.
      asked.set(event.certname, asked.get(event.certname) ?? 0);
      break;
    case 'host-event':
      // The end of a run counts once `host-done` is written; if a kill came between, the agent sends the end again.
      if (event.event.type === 'resources' || event.event.type === 'finished') break;
      asked.set(event.certname, Math.max(event.event.seq, asked.get(event.certname) ?? 0));
      break;
    case 'host-done': {
      const { certname, outcome } = event.result;
      results.set(certname, event.result);
      awaited.delete(certname);
      // DESIGN 3: both mean that no request can have reached the host.
      if (outcome === 'not-started' || outcome === 'unreachable') asked.delete(certname);
      break;
    }
    case 'job-done':
      end.endedAt = event.at;
      if (event.stopped !== undefined) end.stopped = event.stopped;
  }
}

/** Hosts by outcome. */
export function outcomeCounts(results: Iterable<HostResult>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
