/** What is known of a job while it lasts, derived from its events; no event costs more with more hosts. */
import type { HostResult, Job, JobEvent, StopReason } from '../controller/jobs/job.ts';
import type { Holder } from '../protocol/event.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { columnsOf } from '../util/columns.ts';
import { safeText } from '../util/text.ts';
import { createPace, type Pace } from './pace.ts';

/** Times are milliseconds since 1970; `since`: in this state, `from`: under way, without waiting. */
export type HostState = { since: number; from: number; note?: string } & (
  | { state: 'asked' }
  | { state: 'waiting'; holder: Holder }
  | { state: 'running' }
);

type StateName = HostState['state'];

export interface Progress {
  readonly job?: Job;
  readonly startedAt: number;
  /** Milliseconds until the last dispatch so far. */
  readonly dispatchMs: number;
  /** Of the longest name in a terminal. */
  readonly nameColumns: number;
  /** Hosts that are under way, in each state those that have been in it longest first. */
  readonly hosts: Readonly<Record<StateName, ReadonlyMap<string, HostState>>>;
  readonly done: number;
  readonly counts: ReadonlyMap<Outcome, number>;
  readonly pace: Pace;
  readonly batch?: { number: number; of: number };
  /** Between batches, until then; Infinity: until the operator says so. */
  readonly pausedUntil?: number;
  /** Milliseconds of all pauses that have begun. */
  readonly pausedMs: number;
  /** No more hosts are started. */
  readonly isStopping: boolean;
  readonly stopped?: StopReason;
}

type Changing = { -readonly [name in keyof Progress]: Progress[name] };

interface Followed {
  state: Changing;
  hosts: Record<StateName, Map<string, HostState>>;
  counts: Map<Outcome, number>;
}

export interface ProgressFollower {
  on(event: JobEvent): void;
  now(): Progress;
}

export function followProgress(): ProgressFollower {
  let followed = begin();
  return {
    now: () => followed.state,
    on(event) {
      // A job that was resumed begins again, with what was known of it.
      if (event.type === 'job-started') followed = begin(event);
      else follow(followed, event);
    },
  };
}

function begin(started?: JobEvent & { type: 'job-started' }): Followed {
  const hosts = { asked: new Map(), waiting: new Map(), running: new Map() };
  const counts = new Map<Outcome, number>();
  const startedAt = started?.at ?? 0;
  const state: Changing = {
    ...{ startedAt, dispatchMs: 0, hosts, counts, done: 0, pausedMs: 0, isStopping: false },
    nameColumns: longestName(started?.job),
    pace: createPace(startedAt),
    ...(started !== undefined && { job: started.job }),
  };
  return { state, hosts, counts };
}

function longestName(job?: Job): number {
  return (job?.targets ?? []).reduce((max, { certname }) => Math.max(max, columnsOf(safeText(certname))), 0);
}

function follow(followed: Followed, event: Exclude<JobEvent, { type: 'job-started' }>): void {
  const { state } = followed;
  switch (event.type) {
    case 'host-dispatched':
      state.dispatchMs = event.at - state.startedAt;
      enter(followed, event.certname, { state: 'asked', since: event.at, from: event.at });
      break;
    case 'host-event':
      onHostEvent(followed, event);
      break;
    case 'host-retry':
      onRetry(followed, event);
      break;
    case 'host-done':
      onDone(followed, event.result);
      break;
    case 'batch':
      state.batch = { number: event.number, of: event.of };
      delete state.pausedUntil;
      break;
    case 'pause':
      state.pausedUntil = event.until ?? Number.POSITIVE_INFINITY;
      if (event.until !== undefined) state.pausedMs += event.until - event.at;
      break;
    case 'stopping':
      state.isStopping = true;
      delete state.pausedUntil;
      break;
    case 'job-done':
      if (event.stopped !== undefined) state.stopped = event.stopped;
  }
}

function find({ hosts }: Followed, certname: string): HostState | undefined {
  return hosts.running.get(certname) ?? hosts.waiting.get(certname) ?? hosts.asked.get(certname);
}

function leave({ hosts, state: { pace } }: Followed, certname: string): void {
  if (hosts.running.has(certname) || hosts.asked.has(certname)) pace.left();
  for (const map of Object.values(hosts)) map.delete(certname);
}

/** Keeps its place among those in the same state. */
function enter(followed: Followed, certname: string, next: HostState): void {
  const { hosts, state } = followed;
  if (hosts[next.state].has(certname)) {
    hosts[next.state].set(certname, next);
    return;
  }
  leave(followed, certname);
  if (next.state !== 'waiting') state.pace.entered(next.from);
  hosts[next.state].set(certname, next);
}

function onHostEvent(followed: Followed, { certname, event, at }: JobEvent & { type: 'host-event' }): void {
  const before = find(followed, certname);
  if (event.type === 'waiting') {
    const since = before?.state === 'waiting' ? before.since : at;
    enter(followed, certname, { state: 'waiting', since, from: at, holder: event.holder });
  } else if (event.type === 'started') {
    const from = before?.state === 'asked' ? before.from : at;
    enter(followed, certname, { state: 'running', since: at, from });
  } else if (event.type === 'log' && before?.state === 'running') {
    const last = event.lines.findLast(({ level }) => level !== 'debug' && level !== 'info');
    if (last === undefined) return;
    const { source, message } = last;
    enter(followed, certname, { ...before, note: source === undefined ? message : `${source}: ${message}` });
  }
}

/** A run goes on while its agent cannot be heard. */
function onRetry(followed: Followed, { certname, message, at }: JobEvent & { type: 'host-retry' }): void {
  const before = find(followed, certname) ?? { state: 'asked', since: at, from: at };
  enter(followed, certname, { ...before, note: message });
}

function onDone(followed: Followed, result: HostResult): void {
  const { state, counts } = followed;
  leave(followed, result.certname);
  state.done += 1;
  counts.set(result.outcome, (counts.get(result.outcome) ?? 0) + 1);
  state.pace.ended(result);
}
