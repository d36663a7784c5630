/** The requests waiting for a run, oldest first, and how they end without one. */
import { messageOf } from '../../errors.ts';
import type { FinishedEvent, Holder } from '../../protocol/event.ts';
import { canonicalAction, DEFAULT_WAIT_S } from '../../protocol/request.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { clip } from '../../util/text.ts';
import type { RequestLog } from '../requests/request-log.ts';
import { ageOfRecord, type RequestRecord } from '../requests/request-record.ts';
import type { EndWriter } from '../runs/end-writer.ts';

export interface Waiting {
  readonly record: RequestRecord;
  /** Requests with the same canonical action share a run. */
  readonly canonical: string;
  /** Milliseconds since 1970; for people. */
  readonly until: number;
  /** The same by the monotonic clock, so that setting the clock ends no wait. */
  readonly deadline: number;
  readonly skip: boolean;
  /** The holder last reported, so that each is reported once. */
  reported?: string;
}

type Ending = Pick<FinishedEvent, 'outcome' | 'message' | 'holder'>;

export interface WaitingList {
  count(): number;
  first(): Waiting | undefined;
  find(name: string): Waiting | undefined;
  add(record: RequestRecord): void;
  /** Removes and returns the next request with this action. */
  take(canonical: string): Waiting | undefined;
  /** Requests whose run did not start, or lost the race, wait again. */
  putBack(served: readonly RequestRecord[]): Promise<void>;
  /** Milliseconds until the next wait is over; maximum 60 s. */
  nextDeadlineMs(): number;
  /** Ends requests whose wait is over. */
  expire(holder: Holder | undefined): Promise<void>;
  /** Reports who holds the lock; ends requests that do not want to wait for it. */
  report(holder: Holder): Promise<void>;
  finish(waiting: Waiting, ending: Ending): Promise<void>;
  /** `only`: limits it to requests with this action. */
  finishAll(ending: { outcome: 'disabled' | 'failed'; message: string; only?: string }): Promise<void>;
}

export interface WaitingDeps {
  requestLog: Pick<RequestLog, 'append' | 'release'>;
  ends: Pick<EndWriter, 'write'>;
  clock: Clock;
  log: Log;
}

export function createWaitingList(deps: WaitingDeps): WaitingList {
  const { ends, clock } = deps;
  const pending: Waiting[] = [];

  async function finish(waiting: Waiting, ending: Ending): Promise<void> {
    const at = pending.indexOf(waiting);
    if (at < 0) return; // cancelled meanwhile
    pending.splice(at, 1);
    await ends.write(waiting.record, { type: 'finished', endedAt: clock.now(), ...ending });
  }

  return {
    count: () => pending.length,
    first: () => pending[0],
    find: (name) => pending.find(({ record }) => record.name === name),
    add: (record) => void pending.push(waitingOf(record, clock)),
    take(canonical) {
      const next = pending.find((waiting) => waiting.canonical === canonical);
      if (next !== undefined) pending.splice(pending.indexOf(next), 1);
      return next;
    },
    async putBack(served) {
      const missing = served.filter(({ name }) => !pending.some(({ record }) => record.name === name));
      // They have had one attempt, so their wait may now end.
      pending.push(...missing.map((record) => ({ ...waitingOf(record, clock), reported: '' })));
      pending.sort((a, b) => a.record.acceptedAt - b.record.acceptedAt);
      for (const record of served) await release(record, deps);
    },
    nextDeadlineMs() {
      const next = Math.min(...pending.map(({ deadline }) => deadline));
      return Math.min(Math.max(0, next - clock.monotonic()), 60_000);
    },
    async expire(holder) {
      for (const waiting of [...pending]) {
        if (waiting.deadline > clock.monotonic() || waiting.reported === undefined) continue;
        await finish(waiting, stillBusyWith(holder));
      }
    },
    async report(holder) {
      // `began` is recomputed each time and may differ by a tick.
      const text = JSON.stringify({ ...holder, began: undefined });
      for (const waiting of [...pending]) {
        if (waiting.skip) await finish(waiting, busyWith(holder));
        else if (waiting.reported !== text) {
          waiting.reported = text;
          await append(waiting, holder, deps);
        }
      }
    },
    finish,
    async finishAll({ outcome, message, only }) {
      for (const waiting of [...pending]) {
        if (only === undefined || waiting.canonical === only)
          await finish(waiting, { outcome, message: clip(message, 2000) });
      }
    },
  };
}

function busyWith(holder: Holder): Ending {
  return {
    outcome: 'busy',
    message: holder.isRun === false ? 'its lock is held' : 'a run is in progress',
    holder,
  };
}

/** For the end of the wait. */
function stillBusyWith(holder: Holder | undefined): Ending {
  const message = holder?.isRun === false ? 'its lock was still held' : 'a run was still in progress';
  return { outcome: 'busy', message, ...(holder !== undefined && { holder }) };
}

/** Nothing depends on a `waiting` event, so a failure is only logged. */
async function append(
  { record, until }: Waiting,
  holder: Holder,
  { requestLog, log }: WaitingDeps,
): Promise<void> {
  try {
    await requestLog.append(record.name, [{ type: 'waiting', holder, until }]);
  } catch (error) {
    const { job } = record.request;
    log.warn({ job, error: messageOf(error) }, 'cannot record that a request is waiting');
  }
}

async function release({ name, request }: RequestRecord, { requestLog, log }: WaitingDeps): Promise<void> {
  try {
    await requestLog.release(name);
  } catch (error) {
    log.error({ job: request.job, error: messageOf(error) }, 'cannot take a request off its run');
  }
}

function waitingOf(record: RequestRecord, clock: Clock): Waiting {
  const { action, queue } = record.request;
  const waitMs = (queue?.wait ?? DEFAULT_WAIT_S) * 1000;
  return {
    record,
    canonical: canonicalAction(action),
    until: record.acceptedAt + waitMs,
    deadline: clock.monotonic() + waitMs - ageOfRecord(record, clock.now()),
    skip: queue?.ifRunning === 'skip',
  };
}
