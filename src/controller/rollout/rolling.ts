/** What the parts of a rollout share while it runs: its results, its stops and its reports. */
import type { Target } from '../../transport/transport.ts';
import type { Clock } from '../../util/clock.ts';
import { createPlaces, type Places } from '../../util/semaphore.ts';
import type { Emit, HostResult, Job, JobEvent, JobLog, Rollout, StopReason } from '../jobs/job.ts';
import type { Lease } from '../jobs/lease.ts';
import type { Before } from '../jobs/stored-job.ts';
import type { Caller } from '../site.ts';
import { createBackPressure } from './back-pressure.ts';
import { batchesOf, createBudget } from './batches.ts';
import { createStops, type StopSignals, type Stops } from './stops.ts';

export interface RunJobOptions extends StopSignals {
  /** As whom hosts are asked, looked up for each attempt. */
  caller: () => Promise<Caller>;
  clock: Clock;
  emit: Emit;
  /** Milliseconds without contact until a host is lost. */
  lostAfterMs: number;
  detach?: boolean;
  /** Asks the operator between batches; false ends the rollout. */
  confirm?(question: string, signal: AbortSignal): Promise<boolean>;
  /** What an earlier controller of this job had seen; absent for a new job. */
  before?: Before;
  /** Keeps the events. */
  log?: JobLog;
  /** The right to run the job; once it is lost, no more hosts are asked. */
  lease?: Pick<Lease, 'isHeld'>;
  /** Milliseconds before the first retry of an unreachable host, before jitter. */
  retryAfterMs?: number;
}

export interface Rolling {
  readonly job: Job;
  readonly rollout: Rollout;
  readonly options: RunJobOptions;
  /** How many hosts run at once. */
  readonly window: Places;
  readonly stops: Stops;
  /** Hosts being asked or running now. */
  readonly inProgress: Map<string, Target>;
  /** By certname. */
  readonly results: Map<string, HostResult>;
  /** Whether the host has accepted an earlier controller's request and its end is not known: it is followed even once the job has stopped. */
  isUnderWay(certname: string): boolean;
  /** Emits an event of the job. */
  report(event: JobEvent): void;
  /** Records a host's result and counts it against the budgets, which may stop the job. */
  finish(result: HostResult): void;
  /** Starts no more hosts; the first reason stands. */
  stopStarting(reason: StopReason, message: string): void;
  /** Milliseconds since it began. */
  elapsedMs(): number;
  close(): void;
}

/** Hosts that an earlier controller has seen to their end are over from the start. */
export function openRolling(job: Job, options: RunJobOptions): Rolling {
  const { clock, emit, before } = options;
  const rollout = job.rollout ?? {};
  const window = createPlaces(job.concurrency);
  const stops = createStops(options);
  const backPressure = createBackPressure({ places: window, clock, emit });
  const startedAt = clock.monotonic();
  const results = new Map<string, HostResult>();

  /** Back-pressure sees every host's events. */
  function report(event: JobEvent): void {
    if (event.type === 'host-event') backPressure.on(event.certname, event.event);
    emit(event);
  }

  function note(result: HostResult): void {
    results.set(result.certname, result);
    report({ type: 'host-done', at: clock.now(), result });
  }

  function stopStarting(reason: StopReason, message: string): void {
    if (stops.stop(reason)) report({ type: 'stopping', at: clock.now(), reason, message });
  }

  report({ type: 'job-started', at: clock.now(), job });
  for (const target of job.targets) {
    const known = before?.results.get(target.certname);
    if (known !== undefined) note(known);
  }
  const budget = budgetLeft(job, results);
  const [first] = batchesOf(job.targets, rollout);
  const canary = new Set(first?.isCanary === true ? first.targets.map(({ certname }) => certname) : []);

  return {
    job,
    rollout,
    options,
    window,
    stops,
    inProgress: new Map(),
    results,
    isUnderWay: (certname) => !results.has(certname) && (before?.after.get(certname) ?? 0) > 0,
    report,
    finish(result) {
      note(result);
      const reason = budget.add(result);
      if (reason === undefined) return;
      // The canary is what the operator looks at: it is over with the first host that fails.
      if (canary.has(result.certname))
        stopStarting('canary', `the canary was not a success: ${BUDGET_WORDS[reason]}`);
      else stopStarting(reason, BUDGET_WORDS[reason]);
    },
    stopStarting,
    elapsedMs: () => clock.monotonic() - startedAt,
    close: () => backPressure.close(),
  };
}

const BUDGET_WORDS = {
  'max-failures': 'more runs failed than --max-failures allows',
  'max-unreachable': 'more hosts are unreachable than --max-unreachable allows',
} as const;

function budgetLeft(job: Job, results: ReadonlyMap<string, HostResult>) {
  const rollout = job.rollout ?? {};
  const budget = createBudget(rollout, job.targets.length);
  const spent = [...results.values()].map((known) => budget.add(known));
  // Resuming a job that its budget had stopped gives it a new budget.
  return spent.at(-1) === undefined ? budget : createBudget(rollout, job.targets.length);
}
