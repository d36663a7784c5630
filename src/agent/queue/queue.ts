/**
 * DESIGN 4, one run at a time: requests that wait, and the one run that serves all of them whose
 * action is equal. A request may join until the run is let go, never later.
 */

import { messageOf } from '../../errors.ts';
import type { FinishedEvent, Holder } from '../../protocol/event.ts';
import { canonicalAction, DEFAULT_WAIT_S, describeBy } from '../../protocol/request.ts';
import type { CommandReply } from '../../protocol/status.ts';
import { sleep } from '../../util/clock.ts';
import { clip } from '../../util/text.ts';
import { uuidv7 } from '../../util/uuid.ts';
import { disabledText } from '../disabling.ts';
import type { RequestLog } from '../requests/request-log.ts';
import type { RequestRecord } from '../requests/request-store.ts';
import { createEndWriter } from '../runs/end-writer.ts';
import { type LiveRun, type LiveRunDeps, progressOf } from '../runs/live-run.ts';
import { type FinishedRun, finishedEvent, type RunEnd } from '../runs/run-end.ts';
import type { RunSteps } from '../runs/run-steps.ts';

/** Milliseconds between two looks at a lock that is not ours. */
const LOOK_MS = 250;

/** Milliseconds until the end of a run is tried to be written again. */
const RETRY_MS = 5000;

/** How often in a row a run is begun again because Puppet found its lock taken, though nobody holds it. */
const MAX_EMPTY_RACES = 2;

/** Milliseconds for Puppet's settings and its lock files: its own answer is given a minute. */
const GATE_MS = 150_000;

export interface QueueDeps extends LiveRunDeps {
  requestLog: RequestLog;
  runLock: string;
  steps: RunSteps;
  /** Milliseconds without a word from a run after which it seems to be stuck. */
  stuckAfterMs: number;
  /** Who keeps runs from beginning although we know of none (run-lock.ts). */
  keeper(): Holder | undefined;
  /** Milliseconds that a look at Puppet's settings and locks may take; defaults to 150 s. */
  gateMs?: number;
  /** Called when a request has its outcome, for the audit log. */
  onOutcome(record: RequestRecord, finished: FinishedEvent): void;
}

export interface Queue {
  /** Takes a request whose folder is there already. */
  add(record: RequestRecord): void;
  /** How many wait, without those that a run serves. */
  waiting(): number;
  /** Who holds this host's lock, as far as we know without looking, and whether that seems to be stuck. */
  holder(): Holder | undefined;
  /** From now on `listener` is called when a run is released, with the request that it was made for. */
  whenLetGo(listener: (record: RequestRecord) => void): void;
  /** Takes a request off; says what was done, or undefined when it neither waits nor runs. */
  cancel(name: string): Promise<string | undefined>;
  /** Ends the run in progress, if it is one of kick's: with it all requests that it serves. */
  cancelRun(): Promise<CommandReply>;
  /** Goes on with a run that was found alive, for these requests. */
  adopt(run: LiveRun, requests: readonly RequestRecord[]): void;
  /** Starts nothing any more. Resolves when nothing is half done; runs go on by themselves. */
  close(): Promise<void>;
}

interface Waiting {
  record: RequestRecord;
  canonical: string;
  /** Milliseconds since 1970. */
  until: number;
  skip: boolean;
  /** The holder it was told of last, so that it is told once. */
  told?: string;
}

interface Current {
  live: LiveRun;
  served: RequestRecord[];
}

export function createQueue(deps: QueueDeps): Queue {
  const { requestLog, runs, runner, notifier, clock, log, steps, stuckAfterMs, gateMs = GATE_MS } = deps;
  const ends = createEndWriter(deps);
  const pending: Waiting[] = [];
  const letGoListeners: ((record: RequestRecord) => void)[] = [];
  let current: Current | undefined;
  let elsewhere: Holder | undefined;
  let emptyRaces = 0;
  let isClosed = false;
  let isDriving = false;
  let again = false;
  let timer: NodeJS.Timeout | undefined;
  let idle: Promise<void> = Promise.resolve();
  let concluded: Promise<void> = Promise.resolve();

  // ---------------------------------------------------------------- the driver

  /** One step after another; whatever happens meanwhile makes it look again. */
  function drive(): void {
    again = true;
    if (isDriving || isClosed) return;
    isDriving = true;
    clearTimeout(timer);
    idle = (async () => {
      let nextMs: number | undefined;
      while (again && !isClosed) {
        again = false;
        try {
          nextMs = await step();
        } catch (error) {
          // Nothing has begun. What is not known to pass is an end, and no reason to try for ever.
          log.error({ error: messageOf(error) }, 'the queue met an error');
          await finishAll('failed', `kick agent met an error: ${messageOf(error)}`);
          nextMs = undefined;
        }
      }
      isDriving = false;
      if (nextMs !== undefined && !isClosed) timer = setTimeout(drive, nextMs);
    })();
  }

  /** Resolves to the milliseconds until it must look again though nothing happened; undefined: never. */
  async function step(): Promise<number | undefined> {
    await expire();
    if (pending.length === 0) {
      elsewhere = undefined;
      return undefined;
    }
    if (current !== undefined) {
      await tellAll(holderOf(current.live));
      return untilNextDeadline();
    }
    const gate = await within(runner.gate(clock.now()), gateMs, "look at Puppet's settings and locks");
    if (gate.state === 'disabled') {
      await finishAll('disabled', disabledText(gate.disabled));
      return undefined;
    }
    if (gate.state === 'unclear') {
      await finishAll('failed', gate.problem);
      return undefined;
    }
    const held = gate.state === 'held' ? gate.holder : await begin();
    elsewhere = held;
    if (held === undefined) return 0;
    await tellAll(held);
    return pending.length > 0 ? Math.min(LOOK_MS, untilNextDeadline()) : undefined;
  }

  function untilNextDeadline(): number {
    const next = Math.min(...pending.map(({ until }) => until));
    return Math.min(Math.max(0, next - clock.now()), 60_000);
  }

  async function expire(): Promise<void> {
    const holder = current === undefined ? elsewhere : holderOf(current.live);
    for (const waiting of [...pending]) {
      if (waiting.until <= clock.now() && waiting.told !== undefined) {
        await finish(waiting, {
          outcome: 'busy',
          message: holder?.isRun === false ? 'its lock was still held' : 'a run was still in progress',
          ...(holder && { holder }),
        });
      }
    }
  }

  async function tellAll(holder: Holder): Promise<void> {
    // When a process began is reckoned anew at each look, and differs by a tick.
    const text = JSON.stringify({ ...holder, began: undefined });
    for (const waiting of [...pending]) {
      if (waiting.skip) {
        const message = holder.isRun === false ? 'its lock is held' : 'a run is in progress';
        await finish(waiting, { outcome: 'busy', message, holder });
      } else if (waiting.told !== text) {
        waiting.told = text;
        await tell(waiting, holder);
      }
    }
  }

  /** That it waits is only news: nothing depends on it. */
  async function tell({ record, until }: Waiting, holder: Holder): Promise<void> {
    try {
      await requestLog.append(record.name, [{ type: 'waiting', holder, until }]);
    } catch (error) {
      const { job } = record.request;
      log.warn({ job, error: messageOf(error) }, 'it cannot be written down that a request waits');
    }
  }

  // ---------------------------------------------------------------- how requests end without a run

  type Ending = Pick<FinishedEvent, 'outcome' | 'message' | 'holder'>;

  async function finish(waiting: Waiting, ending: Ending): Promise<void> {
    const at = pending.indexOf(waiting);
    if (at < 0) return; // cancelled meanwhile
    pending.splice(at, 1);
    await ends.write(waiting.record, { type: 'finished', endedAt: clock.now(), ...ending });
  }

  async function finishAll(outcome: 'disabled' | 'failed', message: string, only?: string): Promise<void> {
    for (const waiting of [...pending]) {
      if (only === undefined || waiting.canonical === only)
        await finish(waiting, { outcome, message: clip(message, 2000) });
    }
  }

  // ---------------------------------------------------------------- a run begins

  /** Starts a run for the first of the queue and its equals; gives the holder when the lock is held. */
  async function begin(): Promise<Holder | undefined> {
    const first = pending[0];
    if (first === undefined) return undefined;
    const { record, canonical } = first;
    const run = uuidv7(clock.now());
    const prepared = await steps.prepare(run, record, deps);
    if ('holder' in prepared) return prepared.holder;
    if ('problem' in prepared) {
      log.warn({ job: record.request.job, error: prepared.problem }, 'a run could not be started');
      await finishAll('failed', prepared.problem, canonical);
      return undefined;
    }
    const { runRecord, wrapper } = prepared;
    let live: LiveRun | undefined;
    const served: RequestRecord[] = [];
    try {
      // Whoever comes while one is written down is served, too; then it is let go in the same breath.
      for (let next = joining(canonical); next !== undefined; next = joining(canonical)) {
        pending.splice(pending.indexOf(next), 1);
        if (await assign(next, run)) served.push(next.record);
      }
      if (served.length > 0 && !isClosed) {
        // Followed before it can begin: one that nobody follows would have no end.
        live = steps.follow(runRecord, deps, { wrapperEnded: wrapper.ended, serves: served.length });
        adopt(live, served);
        wrapper.letGo();
      }
    } finally {
      if (live === undefined) {
        wrapper.abandon();
        await wrapper.ended;
        await putBack(served);
        await runs.discard(run);
      }
    }
    if (live === undefined) return undefined;
    for (const { name } of served) notifier.notify(name);
    for (const listener of letGoListeners) listener(record);
    log.info({ run, serves: served.map(({ request }) => request.job) }, 'run let go');
    return undefined;
  }

  /** False where it has failed: it holds up nobody else. */
  async function assign({ record }: Waiting, run: string): Promise<boolean> {
    try {
      await requestLog.assign(record.name, run);
      return true;
    } catch (error) {
      const message = `kick agent could not write down its run: ${messageOf(error)}`;
      await ends.write(record, { type: 'finished', outcome: 'failed', message, endedAt: clock.now() });
      return false;
    }
  }

  const joining = (canonical: string) => pending.find((waiting) => waiting.canonical === canonical);

  // ---------------------------------------------------------------- a run ends

  function adopt(live: LiveRun, served: readonly RequestRecord[]): void {
    const mine: Current = { live, served: [...served] };
    current = mine;
    concluded = live.ended
      .then((end) => conclude(mine, end))
      .catch((error: unknown) => log.error({ error: messageOf(error) }, 'the end of a run could not be told'))
      .then(() => {
        current = undefined;
        drive();
      });
    drive();
  }

  /** Makes the end durable before anybody is told; tries until it can. */
  async function conclude({ live, served }: Current, told: RunEnd): Promise<void> {
    if (told === 'left') return;
    const end = afterRaces(told);
    const { run } = live.record;
    const wasWritten = await untilDone(async () => {
      if (end !== undefined) {
        if (await runs.isLive(run)) return runs.settle(run, end);
        // What it told has vanished with its folder: its end becomes that of each request.
        for (const { name } of served) await requestLog.release(name, end);
        return;
      }
      await putBack(served);
      await runs.discard(run);
    });
    if (!wasWritten || end === undefined) return;
    notifier.notify(run);
    for (const record of served) deps.onOutcome(record, end);
  }

  /**
   * Undefined where Puppet's lock was taken and it is to be tried again: as often as it takes while somebody is seen
   * to hold it (`--wait` bounds that), a few times where the holder may have ended in the meantime.
   */
  function afterRaces(end: Exclude<RunEnd, 'left'>): FinishedRun | undefined {
    const isEmpty = end.type === 'race-lost' && !end.isHeld;
    emptyRaces = isEmpty ? emptyRaces + 1 : 0;
    if (end.type !== 'race-lost') return end;
    if (emptyRaces <= MAX_EMPTY_RACES) return undefined;
    emptyRaces = 0;
    return end.otherwise;
  }

  async function untilDone(write: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await write();
        return true;
      } catch (error) {
        log.error({ error: messageOf(error) }, 'the end of a run could not be written down, trying again');
        if (isClosed) return false;
        await sleep(RETRY_MS);
      }
    }
  }

  async function putBack(served: readonly RequestRecord[]): Promise<void> {
    const missing = served.filter(({ name }) => !pending.some(({ record }) => record.name === name));
    // It has had its try: from here on its wait can be over.
    pending.push(...missing.map((record) => ({ ...waitingOf(record), told: '' })));
    pending.sort((a, b) => a.record.acceptedAt - b.record.acceptedAt);
    for (const { name, request } of served) {
      try {
        await requestLog.release(name);
      } catch (error) {
        log.error({ job: request.job, error: messageOf(error) }, 'a request could not be taken off its run');
      }
    }
  }

  function waitingOf(record: RequestRecord): Waiting {
    const { action, queue } = record.request;
    const waitMs = (queue?.wait ?? DEFAULT_WAIT_S) * 1000;
    return {
      record,
      canonical: canonicalAction(action),
      until: record.acceptedAt + waitMs,
      skip: queue?.ifRunning === 'skip',
    };
  }

  function holderOf({ record, pid, since }: LiveRun): Holder {
    const known = pid();
    return {
      ...(known !== undefined && { pid: known }),
      what: `${runner.title}, by kick`,
      since: since(),
      by: describeBy(record.by),
      job: record.job,
    };
  }

  return {
    add(record) {
      pending.push(waitingOf(record));
      drive();
    },
    waiting: () => pending.length,
    whenLetGo: (listener) => void letGoListeners.push(listener),
    holder: () =>
      current === undefined
        ? pending.length > 0
          ? elsewhere
          : undefined
        : { ...holderOf(current.live), ...progressOf(current.live, { now: clock.now(), stuckAfterMs }) },
    async cancel(name) {
      while (isDriving) await idle;
      const waiting = pending.find(({ record }) => record.name === name);
      if (waiting !== undefined) {
        await finish(waiting, { outcome: 'cancelled', message: 'it was cancelled before it began' });
        return 'taken off the queue';
      }
      const mine = current;
      const served = mine?.served.find((record) => record.name === name);
      if (mine === undefined || served === undefined) return undefined;
      if (mine.served.length === 1) {
        void mine.live.stop({ outcome: 'cancelled', message: 'an operator cancelled it' });
        return 'the run is being ended';
      }
      mine.served.splice(mine.served.indexOf(served), 1);
      const finished: FinishedEvent = {
        ...finishedEvent(
          mine.live.record,
          { outcome: 'cancelled', message: 'it was cancelled; the run goes on for others' },
          { endedAt: clock.now() },
        ),
      };
      await requestLog.release(name, finished);
      deps.onOutcome(served, finished);
      return 'taken off the run, which goes on for others';
    },
    async cancelRun() {
      while (isDriving) await idle;
      const mine = current;
      if (mine !== undefined) {
        void mine.live.stop({ outcome: 'cancelled', message: 'an operator cancelled it' });
        const { pid } = holderOf(mine.live);
        return {
          result: 'done',
          message: `the run is being ended${pid === undefined ? '' : ` (pid ${pid})`}`,
        };
      }
      const gate = await runner.gate(clock.now());
      if (gate.state === 'unclear') return { result: 'nothing', message: clip(gate.problem, 2000) };
      const holder = gate.state === 'held' ? gate.holder : deps.keeper();
      return holder === undefined
        ? { result: 'already', message: 'no run is in progress' }
        : { result: 'nothing', message: clip(leftAlone(holder), 2000) };
    },
    adopt,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await idle;
      await ends.close();
      // Whose end is not being written down now is left to the next agent.
      current?.live.leave();
      await concluded;
    },
  };
}

/** Why a cancel ends nothing. */
function leftAlone({ pid, what, isRun, stuck, next }: Holder): string {
  const who = pid === undefined ? what : `pid ${pid} (${what})`;
  const whose = isRun === false ? 'no run holds the lock' : "the run in progress is none of kick's";
  return [`${whose}, and it is left alone: ${who}`, stuck, next]
    .filter((part) => part !== undefined)
    .join('; ');
}

async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: no end after ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
