/** A job from its first host to its verdict: new, resumed, or run again. */
import { isFull, isUntrusted, KickError, messageOf } from '../errors.ts';
import { shortId } from '../util/uuid.ts';
import type { LockNotice, LockWish } from './job-lock.ts';
import type { HostResult, Job, JobEvent, StopReason } from './jobs/job.ts';
import { JOB_BOUNDS } from './jobs/job-index.ts';
import type { JobStore } from './jobs/job-store.ts';
import type { Lease } from './jobs/lease.ts';
import type { Recorder } from './jobs/recorder.ts';
import type { Before } from './jobs/stored-job.ts';
import { judgeJob, type Verdict, verdictPolicy } from './jobs/verdict.ts';
import type { Plan } from './plan-job.ts';
import { runJob } from './rollout/run-job.ts';
import { type Caller, type Site, withCaller } from './site.ts';
import { watchOrders } from './stop-orders.ts';

/** How the caller takes part in a job. */
export interface RunOptions {
  /**
   * Called with each event, in order, once it is written. `follow` yields the same events to others. If it throws, that is
   * a warning, it is not called again, and the job goes on.
   */
  onEvent?(event: JobEvent): void;
  /** Called with problems that do not prevent the job, but that the caller must know. */
  warn?(message: string): void;
  onLock?(notice: LockNotice): void;
  /** Asks between batches; false ends the rollout. */
  confirm?(question: string, signal: AbortSignal): Promise<boolean>;
  /** Aborted: starts no more hosts, leaves running ones alone and returns. */
  signal?: AbortSignal;
  /** The lock to hold for the whole job; defaults to none. */
  lock?: LockWish | undefined;
  /** Of a resumed job: nobody has asked for that, its controller was killed. Orders to stop it still hold. */
  isTakenUp?: boolean;
}

export interface JobEnd {
  job: Job;
  results: readonly HostResult[];
  stopped?: StopReason;
  verdict: Verdict;
}

/** A resumed job: the right to run it, and what an earlier controller had seen. */
export interface Resumed {
  lease: Lease;
  before: Before;
}

/** Throws `KickError` `locked` if somebody else holds the lock, `state` if another controller takes the job over. */
export function runPlan(site: Site, plan: Plan, options: RunOptions): Promise<JobEnd> {
  return underLock(site, options, () => executeJob(site, plan, options));
}

/** Throws `KickError` `locked` if somebody else holds the lock that is wished for. */
export async function underLock<T>(
  site: Site,
  { lock: wish, onLock = () => {}, signal }: RunOptions,
  work: () => Promise<T>,
): Promise<T> {
  if (wish === undefined) return work();
  const { takeLock } = await import('./job-lock.ts');
  const lock = await takeLock(wish, { site, onNotice: onLock, signal });
  try {
    return await work();
  } finally {
    await lock?.release();
  }
}

export async function executeJob(
  site: Site,
  plan: Plan,
  options: RunOptions & { resumed?: Resumed },
): Promise<JobEnd> {
  const store = await site.store();
  const startedAt = site.clock.now();
  const record = await openRecord(store, plan, options);
  try {
    const end = await withCaller(site, plan.settings.connectTimeoutMs, (caller) =>
      runRecorded(site, plan, { ...options, ...record, caller, store }),
    );
    await record.recorder?.written();
    if (record.lease?.lost.aborted === true) throw lostLease(plan.job, store);
    await record.recorder?.close({ exit: end.verdict.exit });
    await noteMetrics(site, { ...end, startedAt }, options);
    return end;
  } catch (error) {
    await record.recorder?.close();
    throw error;
  } finally {
    record.lease?.release();
    await pruneJobs(store, { own: plan.job.id, now: site.clock.now() });
  }
}

interface JobRecord {
  lease?: Lease | undefined;
  recorder?: Recorder | undefined;
}

/** The hosts run even if the store cannot be used. Throws `KickError` `untrusted` if others can change it. */
async function openRecord(
  store: JobStore,
  { job, settings }: Plan,
  { resumed, warn, isTakenUp: keepsOrder }: RunOptions & { resumed?: Resumed },
): Promise<JobRecord> {
  const folder = store.folderOf(job.id);
  const troubleThat = (what: string) => (error: unknown) => {
    const where = isFull(error) ? `(in "${folder}"); make room there` : `(in "${folder}")`;
    warn?.(`job ${shortId(job.id)} is ${what}; its hosts run anyway: ${messageOf(error)} ${where}`);
  };
  let lease = resumed?.lease;
  try {
    lease ??= await store.create(job, settings);
    const onTrouble = troubleThat('no longer recorded');
    const options = { lease, onTrouble, keepsOrder, known: resumed?.before };
    return { lease, recorder: await store.recorder(job.id, options) };
  } catch (error) {
    if (isUntrusted(error)) throw error;
    troubleThat('not recorded')(error);
    return { lease };
  }
}

type Running = RunOptions & JobRecord & { caller: () => Promise<Caller>; store: JobStore; resumed?: Resumed };

async function runRecorded(site: Site, { job, settings }: Plan, running: Running): Promise<JobEnd> {
  const { lease, recorder, resumed, confirm, signal, caller, store } = running;
  const tell = untilItThrows(running);
  // Without a lease there is no folder for orders.
  const orders = lease && (await watchOrders(store, job.id));
  const ending = [signal, lease?.lost].filter((one) => one !== undefined);
  try {
    const { results, stopped } = await runJob(job, {
      caller,
      clock: site.clock,
      emit(event) {
        // Written first: what people have seen must survive a kill -9.
        if (recorder === undefined) tell(event);
        else recorder.on(event, () => tell(event));
      },
      lostAfterMs: settings.lostAfterMs,
      signal: AbortSignal.any(ending),
      ...(orders !== undefined && { stop: orders.stop, cancel: orders.cancel }),
      detach: settings.detach === true,
      ...(confirm !== undefined && { confirm }),
      ...(settings.timeoutMs !== undefined && { timeoutMs: settings.timeoutMs }),
      ...(resumed !== undefined && { before: resumed.before }),
      ...(recorder !== undefined && { log: recorder }),
      ...(lease !== undefined && { lease }),
    });
    const verdict = judgeJob(results, verdictPolicy(settings), stopped);
    return { job, results, verdict, ...(stopped !== undefined && { stopped }) };
  } finally {
    orders?.close();
  }
}

/** What is done with the events of a job has no say in it. */
function untilItThrows({ onEvent, warn }: RunOptions): (event: JobEvent) => void {
  let isBroken = onEvent === undefined;
  return (event) => {
    if (isBroken) return;
    try {
      onEvent?.(event);
    } catch (error) {
      isBroken = true;
      warn?.(`nothing more of the job is reported, and it goes on: ${messageOf(error)}`);
    }
  };
}

function lostLease({ id }: Job, store: JobStore): KickError {
  const pid = store.holderOf(id)?.pid;
  const who = pid === undefined ? 'another controller' : `pid ${pid}`;
  return new KickError(
    'state',
    `run the job ${shortId(id)}: it lost its lease to ${who}, which now runs it`,
    { hint: `kick jobs watch ${shortId(id)}` },
  );
}

/** Never rejects: what became of the hosts stands, whatever cannot be noted. */
async function noteMetrics(
  site: Site,
  { job, results, verdict, startedAt }: JobEnd & { startedAt: number },
  { warn = () => {} }: RunOptions,
): Promise<void> {
  try {
    const { metrics_file: file } = await site.config();
    if (file === undefined) return;
    const { noteJob } = await import('./job-metrics.ts');
    const { clock, folders } = site;
    const ended = { job, results, startedAt, exit: verdict.exit, identity: await site.identity() };
    await noteJob(ended, { file, stateDir: folders.stateDir, clock, warn });
  } catch (error) {
    warn(`the metrics of this job are not written: ${messageOf(error)}`);
  }
}

/** Prunes jobs over the limits of age, number or size, never running ones. Failures are ignored. */
async function pruneJobs(store: JobStore, { own, now }: { own: string; now: number }): Promise<void> {
  const isKept = async (id: string) => id === own || store.holderOf(id) !== undefined;
  await store.index.prune(JOB_BOUNDS, { now, isKept }).catch(() => undefined);
}
