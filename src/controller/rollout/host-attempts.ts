/** Runs a host to its end: a place in the window, an attempt, and further attempts if it cannot be reached. */
import type { Target } from '../../transport/transport.ts';
import { sleep } from '../../util/clock.ts';
import { formatDuration } from '../../util/duration.ts';
import { allOf, createPlaces } from '../../util/semaphore.ts';
import type { HostResult } from '../jobs/job.ts';
import { sealedRequest } from '../jobs/seal-request.ts';
import { checkVersion } from './batches.ts';
import type { Rolling } from './rolling.ts';
import { runHost } from './run-host.ts';

const RETRY_AFTER_MS = 5_000;
const MAX_RETRY_MS = 120_000;

type HostPlaces = ReturnType<typeof allOf>;

/** Returns a function that runs one host to its end; it never rejects because of the host. */
export function createHostAttempts(rolling: Rolling): (target: Target) => Promise<void> {
  const placesOf = placesByHost(rolling);
  return (target) => runToEnd(target, placesOf(target.certname), rolling);
}

/** Retries an unreachable host while the others go on. */
async function runToEnd(target: Target, places: HostPlaces, rolling: Rolling): Promise<void> {
  const { rollout, options, stops, report, finish } = rolling;
  const { certname } = target;
  let backoff = options.retryAfterMs ?? RETRY_AFTER_MS;
  let before: HostResult | undefined;
  for (let tries = 1; ; tries++) {
    const attempt = await runOnce(target, places, rolling);
    // Stopped before it had a place again: what is known of it stays.
    if (attempt === undefined) return finish(before ?? leftOut(target, rolling));
    const { result, release } = attempt;
    before = result;
    const wait = Math.min(backoff * (0.5 + Math.random()), untilDeadline(rolling));
    const isFinal = result.outcome !== 'unreachable' || stops.starting.aborted || wait <= 0;
    if (isFinal || !mayRetry(tries, rolling)) {
      finish(checkVersion(result, rollout));
      return release();
    }
    const message = `${result.message ?? 'unreachable'}; again in ${formatDuration(wait)}`;
    report({ type: 'host-retry', at: options.clock.now(), certname, message });
    release();
    await waitFor(wait, { target, rolling });
    // The job stopped meanwhile; the host remains unreachable.
    if (stops.starting.aborted) return finish(result);
    backoff = Math.min(MAX_RETRY_MS, backoff * 2);
  }
}

/** Until the host is tried again, milliseconds; ends earlier where the transport can tell that the host has come. */
async function waitFor(
  waitMs: number,
  { target, rolling: { options, stops } }: { target: Target; rolling: Rolling },
): Promise<void> {
  const { sender } = await options.caller();
  const signal = stops.starting;
  if (sender.onHere === undefined) return sleep(waitMs, signal);
  const { untilNextTry } = await import('./until-next-try.ts');
  return untilNextTry({ target, sender, waitMs, signal });
}

interface Attempt {
  result: HostResult;
  /** Gives its place back, once the result has been counted: the result may stop the job. */
  release(): void;
}

/** Undefined if the job is stopped before it has a place. */
async function runOnce(target: Target, places: HostPlaces, rolling: Rolling): Promise<Attempt | undefined> {
  const { job, options, stops, inProgress, report, isUnderWay } = rolling;
  const { clock, caller, lostAfterMs, log, lease, before } = options;
  const { certname } = target;
  if (!(await places.take(isUnderWay(certname) ? stops.following : stops.starting))) return undefined;
  let hasPlace = true;
  inProgress.set(certname, target);
  const after = before?.after.get(certname);
  try {
    const result = await runHost(target, {
      caller,
      clock,
      emit: report,
      job: job.id,
      action: job.action,
      lostAfterMs,
      ...(after !== undefined && { after }),
      ...(log !== undefined && { log }),
      ...(lease !== undefined && { lease }),
      detach: options.detach === true,
      signal: stops.following,
      seal: (identity) => sealedRequest(job, certname, { identity, now: clock.now() }),
      onWaiting(isWaiting) {
        hasPlace = !isWaiting;
        if (isWaiting) places.giveBack();
        else places.takeAnyway();
      },
    });
    return { result, release: () => void (hasPlace && places.giveBack()) };
  } finally {
    inProgress.delete(certname);
  }
}

/** The result of a host whose turn never came with this controller. */
export function leftOut({ certname }: Target, { options: { before, clock } }: Rolling): HostResult {
  const endedAt = clock.now();
  return before?.after.has(certname) === true
    ? { certname, outcome: 'unfinished', endedAt, message: 'it was asked before, and not followed again' }
    : { certname, outcome: 'not-started', endedAt, message: 'the job was stopped before its turn' };
}

/** In milliseconds. */
function untilDeadline({ rollout: { deadlineMs = Number.POSITIVE_INFINITY }, elapsedMs }: Rolling): number {
  return deadlineMs - elapsedMs();
}

function mayRetry(tries: number, { rollout: { retry, deadlineMs } }: Rolling): boolean {
  return retry === undefined ? deadlineMs !== undefined : tries <= retry;
}

/** Places of a host: first those of the groups that it is in, then the window's. */
function placesByHost({ window, rollout: { groups = [] } }: Rolling): (certname: string) => HostPlaces {
  const bounds = groups.map(({ certnames, concurrency }) => ({
    members: new Set(certnames),
    places: createPlaces(concurrency),
  }));
  return (certname) =>
    allOf([...bounds.filter(({ members }) => members.has(certname)).map(({ places }) => places), window]);
}
