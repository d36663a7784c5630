/** A host to its end: a place in the window, a try, and further tries of one that cannot be reached. */
import type { Target } from '../../transport/transport.ts';
import { sleep } from '../../util/clock.ts';
import { formatDuration } from '../../util/duration.ts';
import { allOf, createPlaces } from '../../util/semaphore.ts';
import type { HostResult } from '../jobs/job.ts';
import { sealedRequest } from '../jobs/seal-request.ts';
import { checkVersion } from './batches.ts';
import { runHost } from './host-run.ts';
import type { Rolling } from './rolling.ts';

const RETRY_AFTER_MS = 5_000;
const MAX_RETRY_MS = 120_000;

type HostPlaces = ReturnType<typeof allOf>;

/** Returns what runs one host of the rollout to its end; it never rejects for what the host does. */
export function createHostAttempts(rolling: Rolling): (target: Target) => Promise<void> {
  const placesOf = placesByHost(rolling);
  return (target) => runToEnd(target, placesOf(target.certname), rolling);
}

/** One that cannot be reached is tried again while the others go on. */
async function runToEnd(target: Target, places: HostPlaces, rolling: Rolling): Promise<void> {
  const { rollout, options, stops, tell, finish } = rolling;
  const { certname } = target;
  let backoff = options.retryAfterMs ?? RETRY_AFTER_MS;
  for (let tries = 1; ; tries++) {
    const { result, release } = await runOnce(target, places, rolling);
    const wait = Math.min(backoff * (0.5 + Math.random()), untilDeadline(rolling));
    const isFinal = result.outcome !== 'unreachable' || stops.starting.aborted || wait <= 0;
    if (isFinal || !mayRetry(tries, rolling)) {
      finish(checkVersion(result, rollout));
      return release();
    }
    const message = `${result.message ?? 'unreachable'}; again in ${formatDuration(wait)}`;
    tell({ type: 'host-retry', at: options.clock.now(), certname, message });
    release();
    await sleep(wait, stops.starting);
    // The job has stopped meanwhile: what is known of the host is that it could not be reached.
    if (stops.starting.aborted) return finish(result);
    backoff = Math.min(MAX_RETRY_MS, backoff * 2);
  }
}

interface Tried {
  result: HostResult;
  release(): void;
}

/** One try. Its place is given back when the result has been counted: it may stop the job. */
async function runOnce(target: Target, places: HostPlaces, rolling: Rolling): Promise<Tried> {
  const { job, options, stops, inProgress, tell } = rolling;
  const { clock, sender, identity, lostAfterMs, log, lease, before } = options;
  const { certname } = target;
  if (!(await places.take(stops.starting))) return { result: leftOut(target, rolling), release: () => {} };
  let hasPlace = true;
  inProgress.set(certname, target);
  const after = before?.after.get(certname);
  try {
    const result = await runHost(target, {
      sender,
      clock,
      emit: tell,
      job: job.id,
      lostAfterMs,
      ...(after !== undefined && { after }),
      ...(log !== undefined && { log }),
      ...(lease !== undefined && { lease }),
      detach: options.detach === true,
      signal: stops.looking,
      seal: () => sealedRequest(job, certname, { identity, now: clock.now() }),
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

/** Its turn did not come, with this controller. */
export function leftOut({ certname }: Target, { options: { before, clock } }: Rolling): HostResult {
  const endedAt = clock.now();
  return before?.after.has(certname) === true
    ? { certname, outcome: 'unfinished', endedAt, message: 'it was asked before, and not looked for again' }
    : { certname, outcome: 'not-started', endedAt, message: 'the job was stopped before its turn' };
}

/** Milliseconds. */
function untilDeadline({ rollout: { deadlineMs = Number.POSITIVE_INFINITY }, elapsedMs }: Rolling): number {
  return deadlineMs - elapsedMs();
}

function mayRetry(tries: number, { rollout: { retry, deadlineMs } }: Rolling): boolean {
  return retry === undefined ? deadlineMs !== undefined : tries <= retry;
}

/** The window's places, behind those of the groups that a host is in. */
function placesByHost({ window, rollout: { groups = [] } }: Rolling): (certname: string) => HostPlaces {
  const bounds = groups.map(({ certnames, concurrency }) => ({
    members: new Set(certnames),
    places: createPlaces(concurrency),
  }));
  return (certname) =>
    allOf([...bounds.filter(({ members }) => members.has(certname)).map(({ places }) => places), window]);
}
