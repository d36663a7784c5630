/** DESIGN 4: what an earlier agent has left of runs: live ones are followed again, those that are over get their end. */
import { messageOf } from '../../errors.ts';
import { sleep } from '../../util/clock.ts';
import { bootId, isAlive } from '../../util/proc.ts';
import type { Assignment, RequestRecord } from '../requests/request-record.ts';
import { allEvents } from '../runs/all-events.ts';
import type { LiveRun } from '../runs/live-run.ts';
import { rebuiltRecord, recordOfLost } from '../runs/lost-run.ts';
import type { RunRecord } from '../runs/run-record.ts';
import type { QueueDeps } from './queue-deps.ts';

const POLL_MS = 20;

/** Milliseconds that a wrapper which was not released gets to see the end of its input and to exit. */
const EXIT_WITHIN_MS = 10_000;

export interface FoundRuns {
  /** Followed again; maybe only to store their ends. */
  alive: Map<string, LiveRun>;
  neverBegan: Set<string>;
  /** Their records cannot be read. */
  damaged: Set<string>;
}

/** Never rejects: what cannot be settled counts as damaged. */
export async function settleRuns(deps: QueueDeps): Promise<FoundRuns> {
  const found: FoundRuns = { alive: new Map(), neverBegan: new Set(), damaged: new Set() };
  for (const run of await deps.runs.listLive()) await settleRun(run, found, deps);
  return found;
}

async function settleRun(run: string, found: FoundRuns, deps: QueueDeps): Promise<void> {
  const { runs, log } = deps;
  try {
    if ((await runs.endOf(run)) !== undefined) return await runs.discard(run);
    const record = await runs.record(run);
    if (record === 'damaged') found.damaged.add(run);
    else await settleRecord(record, found, deps);
  } catch (error) {
    log.error({ run, error: messageOf(error) }, 'cannot settle a run');
    found.damaged.add(run);
  }
}

async function settleRecord(record: RunRecord, found: FoundRuns, deps: QueueDeps): Promise<void> {
  const { run, boot } = record;
  await deps.runs.mend(run);
  if (!(await hasBegun(record, deps))) found.neverBegan.add(run);
  else if (boot === bootId()) found.alive.set(run, deps.steps.follow(record, deps));
  else await settleRebooted(record, found, deps);
}

/** A wrapper that was not released sees the end of its input and exits; one that was released writes `started`. */
async function hasBegun(record: RunRecord, { runs, clock }: QueueDeps): Promise<boolean> {
  const { run, boot, wrapper, inner } = record;
  const events = await allEvents((offset) => runs.events(run, offset));
  if (events.some(({ type }) => type === 'started')) return true;
  const giveUp = clock.monotonic() + EXIT_WITHIN_MS;
  for (;;) {
    const isGone = boot !== bootId() || ![wrapper, inner].some((one) => one !== undefined && isAlive(one));
    // Check for the process first, then read what it left behind.
    if ((await runs.wrapperFiles(run, inner)).started !== undefined) return true;
    if (isGone) return false;
    // Whatever it is, no other run begins beside it.
    if (clock.monotonic() > giveUp) return true;
    await sleep(POLL_MS);
  }
}

/** The run's folder has survived a reboot (it is not on a tmpfs), so its content still counts. */
async function settleRebooted(record: RunRecord, found: FoundRuns, deps: QueueDeps): Promise<void> {
  const { run } = record;
  const live = deps.steps.follow(record, deps);
  const end = await live.ended;
  if (end === 'left' || end.type === 'race-lost') {
    found.neverBegan.add(run);
    return;
  }
  try {
    await deps.runs.settle(run, end);
  } catch (error) {
    // A full disk: the queue tries again.
    deps.log.error({ run, error: messageOf(error) }, 'cannot store the end of a run yet');
    found.alive.set(run, live);
  }
}

/**
 * Takes up the run of a request if that is still necessary: its record cannot be read, and is made again from the request's,
 * or somebody has emptied the volatile directory while it goes on, so that no other run may start beside it.
 */
export async function takeUpRun(
  { assignment, record: request }: { assignment: Assignment; record: RequestRecord },
  found: FoundRuns,
  deps: QueueDeps,
): Promise<void> {
  const { alive, neverBegan, damaged } = found;
  const { run } = assignment;
  if (alive.has(run) || neverBegan.has(run) || (await deps.runs.isSettled(run))) return;
  if (damaged.delete(run)) {
    deps.log.warn({ run, name: request.name }, "the record of a run is made again from its request's");
    const record = await rebuiltRecord(assignment, request, deps);
    await deps.runs.update(record);
    await settleRun(run, found, deps);
    return;
  }
  const record = await recordOfLost(assignment, request, deps);
  if (record !== undefined) alive.set(run, deps.steps.follow(record, deps));
}

/** Sets aside what is left of runs that no request knows, unless one of them may be going on. Never rejects. */
export async function setLeftAside({ damaged }: FoundRuns, { runs, keeper }: QueueDeps): Promise<void> {
  if (damaged.size > 0 && keeper() !== undefined) return;
  for (const run of damaged) await runs.setAside(run, 'its record cannot be read, and no request knows it');
}
