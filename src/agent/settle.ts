/** DESIGN 4: an agent settles everything unfinished before it listens. */
import type { FinishedEvent } from '../protocol/event.ts';
import { sleep } from '../util/clock.ts';
import { bootId, isAlive } from '../util/proc.ts';
import type { LiveRun } from './live-run.ts';
import type { Queue, QueueDeps } from './queue.ts';
import type { RequestRecord, RequestStore } from './request-store.ts';
import { finishedEvent } from './run-end.ts';
import type { RunRecord } from './run-store.ts';

const POLL_MS = 20;

const REBOOTED = { outcome: 'interrupted', message: 'the host was restarted during the run' } as const;

const VANISHED = { outcome: 'interrupted', message: "the run's folder has vanished" } as const;

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
  const { runs, clock, steps } = deps;
  const { run } = record;
  const { started, exit } = await runs.wrapperFiles(run);
  if (exit === undefined) {
    const times = { startedAt: started?.at, endedAt: clock.now() };
    await runs.settle(run, finishedEvent(record, REBOOTED, times));
    return 'settled';
  }
  const end = await steps.follow({ ...record, wrapper: GONE }, deps).ended;
  if (end === 'left' || end.type === 'race-lost') return 'race-lost';
  await runs.settle(run, end);
  return 'settled';
}

/** No process is it: start times count from the boot. */
const GONE = { pid: 0, start: 'another boot' };

/** Queues again what waits; gives the requests of each run that lives. */
async function settleRequests(
  { alive, neverBegan }: Found,
  deps: SettleDeps,
): Promise<{ served: Map<string, RequestRecord[]>; waiting: RequestRecord[] }> {
  const { requests, requestLog } = deps;
  const served = new Map<string, RequestRecord[]>();
  const waiting: RequestRecord[] = [];
  for (const name of await requests.list()) {
    const record = await requests.read(name);
    if (record === undefined || record === 'gone') continue;
    await requests.mend(name);
    if ((await requestLog.finished(name)) !== undefined) continue;
    const assignment = await requests.assignment(name);
    if (assignment === undefined || neverBegan.has(assignment.run)) {
      await requestLog.release(name);
      waiting.push(record);
    } else if (alive.has(assignment.run)) {
      served.set(assignment.run, [...(served.get(assignment.run) ?? []), record]);
    } else {
      // The tmpfs went with the run, or somebody has emptied it: whether it was done, nobody knows.
      const why = assignment.boot === bootId() ? VANISHED : REBOOTED;
      const { run } = assignment;
      const finished: FinishedEvent = { type: 'finished', run, endedAt: deps.clock.now(), ...why };
      await requestLog.release(name, finished);
      deps.onOutcome(record, finished);
    }
  }
  waiting.sort((a, b) => a.acceptedAt - b.acceptedAt);
  return { served, waiting };
}
