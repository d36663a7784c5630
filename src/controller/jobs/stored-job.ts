/** A job as far as it is known from its folder. */
import type { HostResult, Job, StopReason } from './job.ts';
import type { StoredJobEvent } from './job-record.ts';
import type { Holder } from './lease.ts';

/** How a job is run, beside what it asks of its hosts; needed to go on with it. */
export interface JobSettings {
  lostAfterMs: number;
  connectTimeoutMs: number;
  timeoutMs?: number;
  detach?: boolean;
  /** Outcomes that are shown, but do not count for the exit status. */
  accept: readonly string[];
  /** Percent of hosts that must have done as asked. */
  success?: number;
  /** There were hosts that could not be judged, and were left out. */
  partial?: boolean;
  /** kick's version. */
  version: string;
}

/** What an operator has asked of a job that runs. */
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
  /** The last event seen of hosts that a request may have reached; 0 for none. */
  asked: ReadonlyMap<string, number>;
  /** Who holds its lease, if anybody does. */
  controller?: Holder;
  /** Lines that could not be read. */
  damaged: number;
}

/** What an earlier controller of a job had seen. */
export interface Before {
  /** Hosts that are over. */
  results: ReadonlyMap<string, HostResult>;
  /** The last event seen of hosts that a request may have reached, 0 for none. */
  after: ReadonlyMap<string, number>;
}

/** What a job that is stored looks like to a controller that goes on with it. */
export function beforeOf({ results, asked }: Pick<StoredJob, 'results' | 'asked'>): Before {
  // What was left or never begun is taken up again.
  const isOver = ({ outcome }: HostResult) => outcome !== 'unfinished' && outcome !== 'not-started';
  return { results: new Map([...results].filter(([, result]) => isOver(result))), after: asked };
}

/** Hosts that were asked, and of which no outcome is known. */
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
  end: { endedAt?: number; stopped?: StopReason };
}

export function follow(event: StoredJobEvent, { results, asked, end }: Following): void {
  switch (event.type) {
    case 'job-started':
      // It was taken up again.
      delete end.endedAt;
      delete end.stopped;
      break;
    case 'host-dispatched':
      results.delete(event.certname);
      break;
    case 'request-signed':
      // It is written before it is sent: what is not written cannot have arrived.
      asked.set(event.certname, asked.get(event.certname) ?? 0);
      break;
    case 'host-event':
      // The end of a run counts with its `host-done`; where a kill came between, the agent sends it once more.
      if (event.event.type === 'resources' || event.event.type === 'finished') break;
      asked.set(event.certname, Math.max(event.event.seq, asked.get(event.certname) ?? 0));
      break;
    case 'host-done': {
      const { certname, outcome } = event.result;
      results.set(certname, event.result);
      // DESIGN 3: both are said only of a host that no request can have reached.
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
