/** DESIGN 4: an agent settles everything unfinished before it listens. Nothing that it finds keeps it from listening. */
import { messageOf } from '../../errors.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import { DEFAULT_WAIT_S, MAX_SKEW_S } from '../../protocol/request.ts';
import { damagedEnd } from '../requests/damaged-requests.ts';
import { type Assignment, ageOfRecord, type RequestRecord } from '../requests/request-record.ts';
import type { RequestStore } from '../requests/request-store.ts';
import { judgeLost } from '../runs/lost-run.ts';
import type { Queue } from './queue.ts';
import type { QueueDeps } from './queue-deps.ts';
import { type FoundRuns, setLeftAside, settleRuns, takeUpRun } from './settle-runs.ts';

export interface SettleDeps extends QueueDeps {
  requests: RequestStore;
  queue: Queue;
}

/** What the queue takes over from an earlier agent. */
interface TakenOver {
  /** The requests of each live run. */
  served: Map<string, RequestRecord[]>;
  waiting: RequestRecord[];
}

/**
 * Goes through the runs and then the requests: those that are over get their outcome, live ones are followed again, and those
 * that never began are queued again. Resolves once that is so for every request. What cannot be read has failed, and is set
 * aside; it never runs again.
 */
export async function settleAll(deps: SettleDeps): Promise<void> {
  const { runs, requests, queue, log } = deps;
  await requests
    .sweep()
    .catch((error: unknown) => log.error({ error: messageOf(error) }, 'cannot remove temporary files'));
  const found = await settleRuns(deps);
  const taken: TakenOver = { served: new Map(), waiting: [] };
  const lost = lostRuns(deps);
  for (const name of await requests.list()) {
    try {
      await settleRequest(name, { found, taken, lost }, deps);
    } catch (error) {
      log.error({ name, error: messageOf(error) }, 'cannot settle a request');
      requests.giveUp(name, messageOf(error));
    }
  }
  await setLeftAside(found, deps);
  // Only now are no requests assigned to them.
  for (const run of found.neverBegan) await runs.discard(run);
  for (const [run, live] of found.alive) queue.adopt(live, taken.served.get(run) ?? []);
  taken.waiting.sort((a, b) => a.acceptedAt - b.acceptedAt);
  for (const record of taken.waiting) queue.add(record);
}

interface Settling {
  found: FoundRuns;
  taken: TakenOver;
  lost: ReturnType<typeof lostRuns>;
}

async function settleRequest(
  name: string,
  { found, taken, lost }: Settling,
  deps: SettleDeps,
): Promise<void> {
  const { requests, requestLog, runs } = deps;
  const record = await requests.read(name);
  if (typeof record !== 'object') return;
  const isTorn = await requests.mend(name);
  if ((await requestLog.finished(name)) !== undefined) return;
  const assignment = await requests.assignment(name);
  if (assignment === 'damaged') return endDamaged(record, 'run.json', deps);
  if (assignment === undefined) return waitAgain(record, { taken, isTorn }, deps);
  const { run } = assignment;
  await takeUpRun({ assignment, record }, found, deps);
  if ((await requestLog.finished(name)) !== undefined) return;
  if (found.neverBegan.has(run)) return waitAgain(record, { taken, isTorn: false }, deps);
  if (found.alive.has(run)) {
    taken.served.set(run, [...(taken.served.get(run) ?? []), record]);
    return;
  }
  if (await runs.isSettled(run)) {
    await runs.setAside(run, 'its end cannot be read');
    return endDamaged(record, 'the end of its run', deps);
  }
  // The tmpfs is gone, like the run, or somebody has emptied it.
  return end(record, await lost(assignment, record), deps);
}

/** Queues a request again that no run has served. */
async function waitAgain(
  record: RequestRecord,
  { taken, isTorn }: { taken: TakenOver; isTorn: boolean },
  deps: SettleDeps,
): Promise<void> {
  const { requests, requestLog, clock, log } = deps;
  const { name, marked = false } = record;
  const { events, bad } = await requests.ownEvents(name);
  // Of a request of 0.1, what is damaged may be its end.
  const mayBeOver = !marked && (isTorn || bad > 0);
  if (events.length === bad || mayBeOver) return endDamaged(record, 'events.ndjson', deps);
  try {
    await requestLog.release(name);
  } catch (error) {
    log.error({ name, error: messageOf(error) }, 'cannot take a request off its run');
  }
  if (isTooLate(record, clock.now())) await end(record, TOO_LATE, deps);
  else taken.waiting.push(record);
}

/** Its signature has expired and its wait is over: the controller has given up, and nobody would see a late run. */
function isTooLate(record: RequestRecord, now: number): boolean {
  const { request, acceptedAt } = record;
  const until = (request.exp + MAX_SKEW_S + (request.queue?.wait ?? DEFAULT_WAIT_S)) * 1000;
  return ageOfRecord(record, now) > until - acceptedAt;
}

type Ending = Omit<FinishedEvent, 'type' | 'endedAt'>;

const TOO_LATE: Ending = {
  outcome: 'busy',
  message: 'kick agent was not running while it waited: its wait is over, and no run has started',
};

/** Ends a request whose files do not say how it has ended: `what` cannot be read. */
async function endDamaged(record: RequestRecord, what: string, deps: SettleDeps): Promise<void> {
  const { requests, clock, log } = deps;
  const { name } = record;
  const { events, bad } = await requests.ownEvents(name);
  const why = `${events.length === bad ? 'events.ndjson' : what} cannot be read`;
  log.error({ name, reason: why }, 'the record of a request is damaged');
  if (bad > 0) await requests.setEventsAside(name, why);
  const { type: _type, endedAt: _endedAt, ...ending } = damagedEnd(why, clock.now());
  await end(record, ending, deps);
}

async function end(record: RequestRecord, ending: Ending, deps: SettleDeps): Promise<void> {
  const { requestLog, clock, onOutcome, queue, log } = deps;
  const finished: FinishedEvent = { type: 'finished', endedAt: clock.now(), ...ending };
  try {
    await requestLog.release(record.name, finished);
  } catch (error) {
    log.error({ name: record.name, error: messageOf(error) }, 'cannot store the end of a request yet');
    await queue.end(record, finished);
    return;
  }
  onOutcome(record, finished);
}

/** Returns how runs without a folder ended; each is judged once for all its requests. */
function lostRuns(deps: SettleDeps) {
  const known = new Map<string, ReturnType<typeof judgeLost>>();
  return async (assignment: Assignment, { request }: RequestRecord): Promise<Ending> => {
    const { run } = assignment;
    const judged = known.get(run) ?? judgeLost(assignment, request, deps);
    known.set(run, judged);
    return { run, ...(await judged) };
  };
}
