/** DESIGN 4: the one run in progress, from the moment it may begin until its end is on disk. */
import { messageOf } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
import { describeBy } from '../../protocol/request.ts';
import { sleep } from '../../util/clock.ts';
import type { RequestRecord } from '../requests/request-record.ts';
import type { LiveRun } from '../runs/live-run.ts';
import { progressOf } from '../runs/progress.ts';
import type { FinishedRun, RunEnd } from '../runs/run-end.ts';
import type { QueueDeps } from './queue-deps.ts';
import type { WaitingList } from './waiting-list.ts';

/** Milliseconds until another try to write down the end of a run. */
const RETRY_MS = 5000;

/** How often in a row a run is begun again because Puppet found its lock taken, though nobody holds it. */
const MAX_EMPTY_RACES = 2;

export interface Current {
  readonly live: LiveRun;
  /** Requests come off it when they are cancelled. */
  readonly served: RequestRecord[];
}

export interface CurrentRun {
  get(): Current | undefined;
  /** Follows a run; `onOver` is called when another may begin. */
  adopt(live: LiveRun, served: readonly RequestRecord[]): void;
  /** Who holds the lock, for those that wait. */
  holder(): Holder | undefined;
  /** The same, with its progress. */
  progress(): Holder | undefined;
  /** Leaves the run to the next agent, unless its end is being written just now. */
  close(): Promise<void>;
}

export interface CurrentRunDeps
  extends Pick<QueueDeps, 'requestLog' | 'runs' | 'runner' | 'notifier' | 'clock' | 'log'> {
  stuckAfterMs: number;
  waiting: Pick<WaitingList, 'putBack'>;
  onOutcome: QueueDeps['onOutcome'];
  onOver(): void;
}

export function createCurrentRun(deps: CurrentRunDeps): CurrentRun {
  const { runner, clock, log, stuckAfterMs } = deps;
  const afterRaces = createRaces();
  let current: Current | undefined;
  let isClosed = false;
  let concluded: Promise<void> = Promise.resolve();

  const holderOf = ({ record, pid, since }: LiveRun): Holder => {
    const known = pid();
    return {
      ...(known !== undefined && { pid: known }),
      what: `${runner.title}, by kick`,
      since: since(),
      by: describeBy(record.by),
      job: record.job,
    };
  };

  async function end({ live, served }: Current, found: RunEnd): Promise<void> {
    if (found === 'left') return;
    const finished = afterRaces(found);
    const run = { run: live.record.run, served };
    if (!(await untilDone(() => writeEnd(run, finished, deps), { log, isClosed: () => isClosed }))) return;
    if (finished === undefined) return;
    deps.notifier.notify(run.run);
    for (const record of served) deps.onOutcome(record, finished);
  }

  return {
    get: () => current,
    adopt(live, served) {
      const mine: Current = { live, served: [...served] };
      current = mine;
      concluded = live.ended
        .then((found) => end(mine, found))
        .catch((error: unknown) => log.error({ error: messageOf(error) }, 'cannot report the end of a run'))
        .then(() => {
          current = undefined;
          deps.onOver();
        });
    },
    holder: () => (current === undefined ? undefined : holderOf(current.live)),
    progress: () =>
      current === undefined
        ? undefined
        : { ...holderOf(current.live), ...progressOf(current.live, { now: clock.now(), stuckAfterMs }) },
    async close() {
      isClosed = true;
      current?.live.leave();
      await concluded;
    },
  };
}

/** Makes the end durable before anybody hears of it. Undefined: its requests wait for another run. */
async function writeEnd(
  { run, served }: { run: string; served: readonly RequestRecord[] },
  finished: FinishedRun | undefined,
  { runs, requestLog, waiting }: CurrentRunDeps,
): Promise<void> {
  if (finished === undefined) {
    await waiting.putBack(served);
    await runs.discard(run);
    return;
  }
  if (await runs.isLive(run)) return runs.settle(run, finished);
  // Its events have vanished with its folder: its end becomes that of each request.
  for (const { name } of served) await requestLog.release(name, finished);
}

/**
 * Undefined where Puppet's lock was taken and the run is to be tried again: as often as it takes while somebody is seen
 * to hold it (`--wait` bounds that), a few times where the holder may have ended in the meantime.
 */
function createRaces(): (end: Exclude<RunEnd, 'left'>) => FinishedRun | undefined {
  let emptyRaces = 0;
  return (end) => {
    const isEmpty = end.type === 'race-lost' && !end.isHeld;
    emptyRaces = isEmpty ? emptyRaces + 1 : 0;
    if (end.type !== 'race-lost') return end;
    if (emptyRaces <= MAX_EMPTY_RACES) return undefined;
    emptyRaces = 0;
    return end.otherwise;
  };
}

async function untilDone(
  write: () => Promise<void>,
  { log, isClosed }: Pick<QueueDeps, 'log'> & { isClosed(): boolean },
): Promise<boolean> {
  for (;;) {
    try {
      await write();
      return true;
    } catch (error) {
      log.error({ error: messageOf(error) }, 'cannot write down the end of a run, trying again');
      if (isClosed()) return false;
      await sleep(RETRY_MS);
    }
  }
}
