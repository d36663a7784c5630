/** What is known of a job while it lasts: derived from its events, for whoever shows it. */
import type { HostResult, Job, JobEvent, StopReason } from '../controller/jobs/job.ts';
import type { Holder } from '../protocol/event.ts';

export type HostState =
  | { state: 'asked'; since: number; note?: string }
  | { state: 'waiting'; since: number; holder: Holder }
  | { state: 'running'; since: number; last?: string };

export interface Progress {
  job?: Job;
  startedAt: number;
  /** Milliseconds until the last dispatch so far. */
  dispatchMs: number;
  /** Hosts that are under way. */
  hosts: ReadonlyMap<string, HostState>;
  results: readonly HostResult[];
  stopped?: StopReason;
}

export function followProgress(): { on(event: JobEvent): void; now(): Progress } {
  const hosts = new Map<string, HostState>();
  const results: HostResult[] = [];
  const progress: Progress = { startedAt: 0, dispatchMs: 0, hosts, results };

  function onHostEvent({ certname, event, at }: JobEvent & { type: 'host-event' }): void {
    const before = hosts.get(certname);
    if (event.type === 'waiting') {
      const since = before?.state === 'waiting' ? before.since : at;
      hosts.set(certname, { state: 'waiting', since, holder: event.holder });
    } else if (event.type === 'started') hosts.set(certname, { state: 'running', since: at });
    else if (event.type === 'log' && before?.state === 'running') {
      const last = event.lines.findLast(({ level }) => level !== 'debug' && level !== 'info');
      if (last !== undefined)
        hosts.set(certname, {
          ...before,
          last: last.source === undefined ? last.message : `${last.source}: ${last.message}`,
        });
    }
  }

  return {
    now: () => progress,
    on(event) {
      switch (event.type) {
        case 'job-started':
          progress.job = event.job;
          progress.startedAt = event.at;
          break;
        case 'host-dispatched':
          progress.dispatchMs = event.at - progress.startedAt;
          hosts.set(event.certname, { state: 'asked', since: event.at });
          break;
        case 'host-event':
          onHostEvent(event);
          break;
        case 'host-retry': {
          const before = hosts.get(event.certname);
          hosts.set(event.certname, {
            state: 'asked',
            since: before?.since ?? event.at,
            note: event.message,
          });
          break;
        }
        case 'host-done':
          hosts.delete(event.result.certname);
          results.push(event.result);
          break;
        case 'job-done':
          if (event.stopped !== undefined) progress.stopped = event.stopped;
      }
    },
  };
}
