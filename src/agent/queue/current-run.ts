/** DESIGN 4: the one run in progress, from its release until its end is on disk. */
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

/** Milliseconds between attempts to store the end of a run. */
const RETRY_MS = 5000;

/** How many times in a row a run is retried after Puppet found its lock taken although nobody holds it. */
const MAX_EMPTY_RACES = 2;

export interface Current {
  readonly live: LiveRun;
  /** Cancelled requests are removed. */
  readonly served: RequestRecord[];
}

export interface CurrentRun {
  get(): Current | undefined;
  /** Follows a run; calls `onOver` when the next may start. */
  adopt(live: LiveRun, served: readonly RequestRecord[]): void;
  /** Who holds the lock, for waiting requests. */
  holder(): Holder | undefined;
  /** The same, with its progress. */
  progress(): Holder | undefined;
  /** Leaves the run to the next agent, unless its end is just being stored. */
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

/** Stores the end before it is reported. `finished` undefined: its requests wait for another run. */
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
  // Its events have vanished with its folder, so each request gets a copy of the end.
  for (const { name } of served) await requestLog.release(name, finished);
}

/**
 * Returns the end of a run; undefined if Puppet's lock was taken and the run is to be retried: any number of times while
 * somebody holds the lock (`--wait` limits that), a few times if nobody seems to hold it any more.
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
      log.error({ error: messageOf(error) }, 'cannot store the end of a run, trying again');
      if (isClosed()) return false;
      await sleep(RETRY_MS);
    }
  }
}
