/** DESIGN 4, "Joining a run": starts a run for the first request in the queue and all others with the same action. */
import { messageOf } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
import { uuidv7 } from '../../util/uuid.ts';
import type { AssignedRun, RequestRecord } from '../requests/request-record.ts';
import type { EndWriter } from '../runs/end-writer.ts';
import type { LiveRun } from '../runs/live-run.ts';
import type { Prepared } from '../runs/prepare-run.ts';
import type { QueueDeps } from './queue-deps.ts';
import type { Waiting, WaitingList } from './waiting-list.ts';

export interface BeginDeps extends QueueDeps {
  waiting: WaitingList;
  ends: Pick<EndWriter, 'write'>;
  /** By name, those that wait no more and whose run is not followed yet: its name is just being stored with them. */
  joining: Map<string, RequestRecord>;
  /** Follows the run until its end. */
  adopt(live: LiveRun, served: readonly RequestRecord[]): void;
  isClosed(): boolean;
  /** Called when a run has been released. */
  onRelease(record: RequestRecord): void;
}

type Ready = Extract<Prepared, { wrapper: unknown }>;

/** Returns the holder if the lock is held. */
export async function beginRun(deps: BeginDeps): Promise<Holder | undefined> {
  const { waiting, steps, runs, clock, log } = deps;
  const first = waiting.first();
  if (first === undefined) return undefined;
  const { record, canonical } = first;
  const run = uuidv7(clock.now());
  const prepared = await steps.prepare(run, record, deps);
  if ('holder' in prepared) return prepared.holder;
  if ('problem' in prepared) {
    log.warn({ job: record.request.job, error: prepared.problem }, 'cannot start a run');
    await waiting.finishAll({ outcome: 'failed', message: prepared.problem, only: canonical });
    return undefined;
  }
  const served: RequestRecord[] = [];
  let isReleased = false;
  try {
    await joinAll(canonical, { run: prepared.runRecord, served }, deps);
    isReleased = release(prepared, served, deps);
  } finally {
    if (!isReleased) {
      prepared.wrapper.abandon();
      await prepared.wrapper.ended;
      await waiting.putBack(served);
      await runs.discard(run);
    }
    deps.joining.clear();
  }
  if (!isReleased) return undefined;
  for (const { name } of served) deps.notifier.notify(name);
  deps.onRelease(record);
  log.info({ run, serves: served.map(({ request }) => request.job) }, 'run released');
  return undefined;
}

/** Assigns the run to every matching request, including those that arrive meanwhile; then the run is released at once. */
async function joinAll(
  canonical: string,
  { run, served }: { run: AssignedRun; served: RequestRecord[] },
  deps: BeginDeps,
): Promise<void> {
  const { waiting, joining } = deps;
  for (let next = waiting.take(canonical); next !== undefined; next = waiting.take(canonical)) {
    joining.set(next.record.name, next.record);
    if (await assign(next, run, deps)) served.push(next.record);
  }
}

/** Returns false if it fails, which does not hold up the other requests. */
async function assign(
  { record }: Waiting,
  run: AssignedRun,
  { requestLog, ends, clock }: BeginDeps,
): Promise<boolean> {
  try {
    await requestLog.assign(record.name, run);
    return true;
  } catch (error) {
    const message = `kick agent could not store its run: ${messageOf(error)}`;
    await ends.write(record, { type: 'finished', outcome: 'failed', message, endedAt: clock.now() });
    return false;
  }
}

/** Returns false if no request is left to serve, or the agent is stopping. */
function release({ runRecord, wrapper }: Ready, served: readonly RequestRecord[], deps: BeginDeps): boolean {
  if (served.length === 0 || deps.isClosed()) return false;
  // Followed before it can start: a run that nobody follows would have no end.
  const live = deps.steps.follow(runRecord, deps, { wrapperEnded: wrapper.ended, serves: served.length });
  deps.adopt(live, served);
  wrapper.release();
  return true;
}
