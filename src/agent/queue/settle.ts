/** DESIGN 4: an agent settles everything unfinished before it listens. */
import type { FinishedEvent } from '../../protocol/event.ts';
import { sleep } from '../../util/clock.ts';
import { bootId, isAlive } from '../../util/proc.ts';
import type { Assignment, RequestRecord } from '../requests/request-record.ts';
import type { RequestStore } from '../requests/request-store.ts';
import type { LiveRun } from '../runs/live-run.ts';
import { judgeLost, recordOfLost } from '../runs/lost-run.ts';
import type { RunRecord } from '../runs/run-record.ts';
import type { Queue } from './queue.ts';
import type { QueueDeps } from './queue-deps.ts';

const POLL_MS = 20;

export interface SettleDeps extends QueueDeps {
  requests: RequestStore;
  queue: Queue;
}

/**
 * Goes through the runs, then the requests: what is over gets its outcome, what lives is followed
 * again, what never began is queued again. Resolves when every request has one of these.
 */
export async function settleAll(deps: SettleDeps): Promise<void> {
  const { runs, queue } = deps;
  const found: Found = { alive: new Map(), neverBegan: new Set() };
  for (const run of await runs.listLive()) await settleRun(run, found, deps);
  const { served, waiting } = await settleRequests(found, deps);
  // Only now does nobody name them any more.
  for (const run of found.neverBegan) await runs.discard(run);
  for (const [run, live] of found.alive) queue.adopt(live, served.get(run) ?? []);
  for (const record of waiting) queue.add(record);
}

interface Found {
  alive: Map<string, LiveRun>;
  neverBegan: Set<string>;
}

async function settleRun(run: string, { alive, neverBegan }: Found, deps: SettleDeps): Promise<void> {
  const { runs, steps } = deps;
  const record = await runs.record(run);
  // It stays as it is, and its requests are settled by what else is known of it.
  if (record === 'unusable') return;
  if (record === undefined || (await runs.isSettled(run))) return runs.discard(run);
  await runs.mend(run);
  if (!(await hasBegun(record, deps))) neverBegan.add(run);
  else if (record.boot === bootId()) alive.set(run, steps.follow(record, deps));
  else if ((await settleRebooted(record, deps)) === 'race-lost') neverBegan.add(run);
}

/** A wrapper that was not let go sees the end of its input and goes; one that was makes `started`. */
async function hasBegun({ run, boot, wrapper, inner }: RunRecord, { runs }: SettleDeps): Promise<boolean> {
  for (;;) {
    const isGone = boot !== bootId() || ![wrapper, inner].some((one) => one !== undefined && isAlive(one));
    // First see the process gone, then read what it left.
    if ((await runs.wrapperFiles(run)).started !== undefined) return true;
    if (isGone) return false;
    await sleep(POLL_MS);
  }
}

/** The run folder outlived a reboot (it does not lie on a tmpfs): what it tells still counts. */
async function settleRebooted(record: RunRecord, deps: SettleDeps): Promise<'settled' | 'race-lost'> {
  const end = await deps.steps.follow(record, deps).ended;
  if (end === 'left' || end.type === 'race-lost') return 'race-lost';
  await deps.runs.settle(record.run, end);
  return 'settled';
}

/** Queues again what waits; gives the requests of each run that lives. */
async function settleRequests(
  { alive, neverBegan }: Found,
  deps: SettleDeps,
): Promise<{ served: Map<string, RequestRecord[]>; waiting: RequestRecord[] }> {
  const { requests, requestLog } = deps;
  const served = new Map<string, RequestRecord[]>();
  const waiting: RequestRecord[] = [];
  const lost = lostRuns(deps);
  for (const name of await requests.list()) {
    const record = await requests.read(name);
    if (record === undefined || record === 'gone') continue;
    await requests.mend(name);
    if ((await requestLog.finished(name)) !== undefined) continue;
    const assignment = await requests.assignment(name);
    if (assignment === 'unusable') {
      await end(record, UNKNOWN_RUN, deps);
      continue;
    }
    if (assignment !== undefined) await followWithoutFolder(assignment, record, { alive, neverBegan }, deps);
    if (assignment === undefined || neverBegan.has(assignment.run)) {
      await requestLog.release(name);
      waiting.push(record);
    } else if (alive.has(assignment.run)) {
      served.set(assignment.run, [...(served.get(assignment.run) ?? []), record]);
    } else {
      // The tmpfs went with the run, or somebody has emptied it.
      await end(record, await lost(assignment, record), deps);
    }
  }
  waiting.sort((a, b) => a.acceptedAt - b.acceptedAt);
  return { served, waiting };
}

/** Somebody has emptied the volatile directory, and the run goes on: no other may begin beside it. */
async function followWithoutFolder(
  assignment: Assignment,
  request: RequestRecord,
  { alive, neverBegan }: Found,
  deps: SettleDeps,
): Promise<void> {
  const { run } = assignment;
  if (alive.has(run) || neverBegan.has(run)) return;
  const record = await recordOfLost(assignment, request, deps);
  if (record !== undefined) alive.set(run, deps.steps.follow(record, deps));
}

const UNKNOWN_RUN: Pick<FinishedEvent, 'outcome' | 'message'> = {
  outcome: 'interrupted',
  message: 'the file that names its run cannot be read: what became of it is not known',
};

async function end(
  record: RequestRecord,
  ending: Omit<FinishedEvent, 'type' | 'endedAt'>,
  { requestLog, clock, onOutcome }: SettleDeps,
): Promise<void> {
  const finished: FinishedEvent = { type: 'finished', endedAt: clock.now(), ...ending };
  await requestLog.release(record.name, finished);
  onOutcome(record, finished);
}

/** How runs without a folder ended, each judged once for all requests that it served. */
function lostRuns(deps: SettleDeps) {
  const known = new Map<string, ReturnType<typeof judgeLost>>();
  return async (
    assignment: Assignment,
    { request }: RequestRecord,
  ): Promise<Omit<FinishedEvent, 'type' | 'endedAt'>> => {
    const { run } = assignment;
    const judged = known.get(run) ?? judgeLost(assignment, request, deps);
    known.set(run, judged);
    return { run, ...(await judged) };
  };
}
