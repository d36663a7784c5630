/**
 * All hosts of a job, batch after batch, in a window of runs at once. Each host goes its own way:
 * one that hangs costs the others nothing, and one that ends lets the next one go.
 */
import { setMaxListeners } from 'node:events';
import type { Identity } from '../../pki/identity.ts';
import { isSuccess } from '../../protocol/outcome.ts';
import type { Sender, Target } from '../../transport/transport.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { formatDuration } from '../../util/duration.ts';
import { allOf, createPlaces, type Places } from '../../util/semaphore.ts';
import { plural } from '../../util/text.ts';
import type { Emit, HostResult, Job, JobEvent, JobLog, Rollout, StopReason } from '../jobs/job.ts';
import type { Lease } from '../jobs/lease.ts';
import { sealedCancel, sealedRequest } from '../jobs/seal-request.ts';
import type { Before } from '../jobs/stored-job.ts';
import { createBackPressure } from './back-pressure.ts';
import { type Batch, batchesOf, checkVersion, createBudget } from './batches.ts';
import { runHost } from './host-run.ts';

export interface RunJobOptions {
  sender: Sender;
  identity: Identity;
  clock: Clock;
  emit: Emit;
  /** Milliseconds without contact until a host is lost. */
  lostAfterMs: number;
  detach?: boolean;
  /** Milliseconds until the controller stops looking; it ends nothing. */
  timeoutMs?: number;
  /** Ctrl-C: start no more hosts, leave running ones, look no longer. */
  signal: AbortSignal;
  /** `kick jobs stop`: start no more hosts, see those that run to their end. */
  stop?: AbortSignal;
  /** `kick jobs stop --cancel`: end those as well. */
  cancel?: AbortSignal;
  /** Asks the operator between batches; false: no more. */
  confirm?(question: string, signal: AbortSignal): Promise<boolean>;
  /** What an earlier controller of this job had seen. */
  before?: Before;
  /** What keeps the events. */
  log?: JobLog;
  /** The right to run it; nobody is asked any more once it is lost. */
  lease?: Pick<Lease, 'isHeld'>;
  /** Milliseconds before the first new try of an unreachable host, without jitter. */
  retryAfterMs?: number;
}

export interface JobResult {
  results: HostResult[];
  stopped?: StopReason;
}

const RETRY_AFTER_MS = 5_000;
const MAX_RETRY_MS = 120_000;

/** Never rejects for what a host does; the results are in the order of the targets. */
export async function runJob(job: Job, options: RunJobOptions): Promise<JobResult> {
  const { clock, emit, before } = options;
  const rollout = job.rollout ?? {};
  const window = createPlaces(job.concurrency);
  const stops = createStops(options);
  const backPressure = createBackPressure({ places: window, clock, emit });
  let budget = createBudget(rollout, job.targets.length);
  const placesOf = placesByHost(window, rollout);
  const startedAt = clock.monotonic();
  const inProgress = new Map<string, Target>();
  const results = new Map<string, HostResult>();

  /** Everything that the job tells passes here; what a host says is looked at on its way. */
  const tell = (event: JobEvent) => {
    if (event.type === 'host-event') backPressure.on(event.certname, event.event);
    emit(event);
  };

  /** Its turn did not come, with this controller. */
  function leftOut({ certname }: Target): HostResult {
    const endedAt = clock.now();
    return before?.after.has(certname) === true
      ? { certname, outcome: 'unfinished', endedAt, message: 'it was asked before, and not looked for again' }
      : { certname, outcome: 'not-started', endedAt, message: 'the job was stopped before its turn' };
  }

  /** One try of one host. Its place is given back when the result has been counted: it may stop the job. */
  async function runOnce(target: Target, places: ReturnType<typeof allOf>): Promise<Tried> {
    const { certname } = target;
    if (!(await places.take(stops.starting))) return { result: leftOut(target), release: () => {} };
    let hasPlace = true;
    const release = () => {
      if (hasPlace) places.giveBack();
    };
    inProgress.set(certname, target);
    const after = before?.after.get(certname);
    try {
      const result = await runHost(target, {
        ...{ sender: options.sender, clock, emit: tell, job: job.id, lostAfterMs: options.lostAfterMs },
        ...(after !== undefined && { after }),
        ...(options.log !== undefined && { log: options.log }),
        ...(options.lease !== undefined && { lease: options.lease }),
        detach: options.detach === true,
        signal: stops.looking,
        seal: () => sealedRequest(job, certname, { identity: options.identity, now: clock.now() }),
        onWaiting(isWaiting) {
          hasPlace = !isWaiting;
          if (isWaiting) places.giveBack();
          else places.takeAnyway();
        },
      });
      return { result, release };
    } finally {
      inProgress.delete(certname);
    }
  }

  /** A host to its end: one that cannot be reached is tried again while the others go on. */
  async function runToEnd(target: Target): Promise<void> {
    const { certname } = target;
    const places = placesOf(certname);
    let backoff = options.retryAfterMs ?? RETRY_AFTER_MS;
    for (let tries = 1; ; tries++) {
      const { result, release } = await runOnce(target, places);
      const wait = Math.min(backoff * (0.5 + Math.random()), untilDeadline());
      if (result.outcome !== 'unreachable' || stops.starting.aborted || wait <= 0 || !mayRetry(tries)) {
        finish(checkVersion(result, rollout));
        return release();
      }
      const message = `${result.message ?? 'unreachable'}; again in ${formatDuration(wait)}`;
      tell({ type: 'host-retry', at: clock.now(), certname, message });
      release();
      await sleep(wait, stops.starting);
      // The job has stopped meanwhile: what is known of the host is that it could not be reached.
      if (stops.starting.aborted) return finish(result);
      backoff = Math.min(MAX_RETRY_MS, backoff * 2);
    }
  }

  /** Milliseconds. */
  function untilDeadline(): number {
    const { deadlineMs = Number.POSITIVE_INFINITY } = rollout;
    return deadlineMs - (clock.monotonic() - startedAt);
  }

  function mayRetry(tries: number): boolean {
    const { retry, deadlineMs } = rollout;
    return retry === undefined ? deadlineMs !== undefined : tries <= retry;
  }

  function note(result: HostResult): void {
    results.set(result.certname, result);
    tell({ type: 'host-done', at: clock.now(), result });
  }

  function finish(result: HostResult): void {
    note(result);
    const reason = budget.add(result);
    if (reason === 'max-failures') stopStarting(reason, 'more runs failed than --max-failures allows');
    if (reason === 'max-unreachable') {
      stopStarting(reason, 'more hosts are unreachable than --max-unreachable allows');
    }
  }

  function stopStarting(reason: StopReason, message: string): void {
    if (stops.stop(reason)) tell({ type: 'stopping', at: clock.now(), reason, message });
  }

  async function runBatch({ targets, isCanary }: Batch): Promise<void> {
    await Promise.all(targets.map(runToEnd));
    if (!isCanary) return;
    const [canary] = batchesOf(job.targets, rollout);
    const bad = (canary?.targets ?? []).filter(
      ({ certname }) => !isSuccess(results.get(certname)?.outcome ?? 'not-started'),
    );
    if (bad.length > 0) {
      stopStarting('canary', `the canary was not a success on ${plural(bad.length, 'host')}`);
    }
  }

  async function pauseAfter(number: number, of: number): Promise<void> {
    const { pauseMs = 0, confirm = false } = rollout;
    if (pauseMs > 0) {
      tell({ type: 'pause', at: clock.now(), until: clock.now() + pauseMs });
      await sleep(pauseMs, stops.starting);
    }
    if (!confirm || stops.starting.aborted || options.confirm === undefined) return;
    tell({ type: 'pause', at: clock.now() });
    const isWanted = await options.confirm(`Batch ${number} of ${of} is over. Go on?`, stops.starting);
    if (!isWanted) stopStarting('declined', 'the operator said no');
  }

  /** `kick jobs stop --cancel`: the requests of this job are taken off their runs. */
  async function cancelAll(): Promise<void> {
    stopStarting('stopped', 'it was asked to stop, and to end what runs');
    const { identity, sender } = options;
    await Promise.all(
      [...inProgress.values()].map(async (target) => {
        const { certname } = target;
        try {
          const body = await sealedCancel(job, certname, { identity, now: clock.now() });
          await sender.command(target, body, stops.looking);
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          tell({
            type: 'host-retry',
            at: clock.now(),
            certname,
            message: `it could not be cancelled: ${why}`,
          });
        }
      }),
    );
  }

  const unhook = stops.hook({
    onStop: () => stopStarting('stopped', 'it was asked to stop'),
    onCancel: () => void cancelAll(),
  });
  tell({ type: 'job-started', at: clock.now(), job });
  for (const target of job.targets) {
    const known = before?.results.get(target.certname);
    if (known !== undefined) note(known);
  }
  const spent = [...results.values()].map((known) => budget.add(known));
  // Whoever resumes a job that its budget has stopped wants it to go on: with a new budget.
  if (spent.at(-1) !== undefined) budget = createBudget(rollout, job.targets.length);
  const left = job.targets.filter(({ certname }) => !results.has(certname));
  const batches = batchesOf(job.targets, rollout);
  for (const [index, planned] of batches.entries()) {
    if (stops.starting.aborted) break;
    // A job that goes on stands where it was: in the middle of a batch, and not before a canary that is over.
    const batch = { ...planned, targets: planned.targets.filter(({ certname }) => !results.has(certname)) };
    if (batch.targets.length === 0) continue;
    const number = index + 1;
    if (batches.length > 1) {
      const { targets, isCanary } = batch;
      tell({ type: 'batch', at: clock.now(), number, of: batches.length, hosts: targets.length, isCanary });
    }
    await runBatch(batch);
    if (number < batches.length && !stops.starting.aborted) await pauseAfter(number, batches.length);
  }
  for (const target of left) if (!results.has(target.certname)) finish(leftOut(target));
  backPressure.close();
  unhook();
  const stopped = stops.reason();
  const end: JobResult = {
    results: job.targets.flatMap(({ certname }) => results.get(certname) ?? []),
    ...(stopped !== undefined && { stopped }),
  };
  tell({ type: 'job-done', at: clock.now(), ...end });
  return end;
}

interface Tried {
  result: HostResult;
  release(): void;
}

/** The window's places, behind those of the groups that a host is in. */
function placesByHost(
  window: Places,
  { groups = [] }: Rollout,
): (certname: string) => ReturnType<typeof allOf> {
  const bounds = groups.map(({ certnames, concurrency }) => ({
    members: new Set(certnames),
    places: createPlaces(concurrency),
  }));
  return (certname) =>
    allOf([...bounds.filter(({ members }) => members.has(certname)).map(({ places }) => places), window]);
}

interface Stops {
  /** Aborted: no new host is started. */
  readonly starting: AbortSignal;
  /** Aborted: hosts are left as they are. */
  readonly looking: AbortSignal;
  /** Starts no more hosts; false when that was so before. */
  stop(reason: StopReason): boolean;
  reason(): StopReason | undefined;
  /** Listens to whoever may stop the job; gives what ends it. */
  hook(on: { onStop(): void; onCancel(): void }): () => void;
}

function createStops({ signal, stop, cancel, timeoutMs }: RunJobOptions): Stops {
  const starting = new AbortController();
  const looking = new AbortController();
  setMaxListeners(0, starting.signal, looking.signal, signal);
  let reason: StopReason | undefined;

  function stopStarting(why: StopReason): boolean {
    if (starting.signal.aborted) return false;
    reason = why;
    starting.abort();
    return true;
  }

  const stopLooking = (why: StopReason) => () => {
    // What stopped the rollout before counts on; but Ctrl-C is the operator's own word.
    if (!looking.signal.aborted && (reason === undefined || why === 'interrupted')) reason = why;
    starting.abort();
    looking.abort();
  };

  return {
    starting: starting.signal,
    looking: looking.signal,
    stop: stopStarting,
    reason: () => reason,
    hook({ onStop, onCancel }) {
      const timer = timeoutMs === undefined ? undefined : setTimeout(stopLooking('timeout'), timeoutMs);
      const hooks: [AbortSignal | undefined, () => void][] = [
        [signal, stopLooking('interrupted')],
        [stop, onStop],
        [cancel, onCancel],
      ];
      for (const [one, run] of hooks) {
        if (one?.aborted) run();
        one?.addEventListener('abort', run, { once: true });
      }
      return () => {
        clearTimeout(timer);
        for (const [one, run] of hooks) one?.removeEventListener('abort', run);
      };
    },
  };
}
