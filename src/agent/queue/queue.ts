/**
 * DESIGN 4, one run at a time: the waiting requests, and the one run, which serves all of them with
 * the same action. A request may join until the run is released, never later.
 */
import { messageOf } from '../../errors.ts';
import type { FinishedEvent, Holder } from '../../protocol/event.ts';
import type { CommandReply } from '../../protocol/status.ts';
import type { RequestRecord } from '../requests/request-record.ts';
import { createEndWriter } from '../runs/end-writer.ts';
import type { LiveRun } from '../runs/live-run.ts';
import { beginRun } from './begin-run.ts';
import { cancelRequest, cancelRun } from './cancel.ts';
import { createCurrentRun } from './current-run.ts';
import { createDriver } from './driver.ts';
import type { QueueDeps } from './queue-deps.ts';
import { createStepper } from './stepper.ts';
import { createWaitingList } from './waiting-list.ts';

export interface Queue {
  /** Adds a request, which is already stored. */
  add(record: RequestRecord): void;
  /** A request that waits or is served by the run in progress. */
  find(name: string): RequestRecord | undefined;
  /** Stores the end of a request that neither waits nor runs; a failed write is retried. Never rejects. */
  end(record: RequestRecord, finished: FinishedEvent): Promise<void>;
  /** How many requests wait, without those that a run serves. */
  waiting(): number;
  /** Whether a request waits, a run is followed, or an end is not stored yet. */
  isBusy(): boolean;
  /** Who holds this host's lock, as far as the queue knows, and whether it is stuck. */
  holder(): Holder | undefined;
  /** Calls `listener` whenever a run is released, with the request that it was started for. */
  onRelease(listener: (record: RequestRecord) => void): void;
  /** Cancels a request; returns what was done, or undefined if it neither waits nor runs. */
  cancel(name: string): Promise<string | undefined>;
  /** Ends the run in progress, if it is one of kick's, with all requests that it serves. */
  cancelRun(): Promise<CommandReply>;
  /** Follows a run that was found alive, for these requests. */
  adopt(run: LiveRun, requests: readonly RequestRecord[]): void;
  /** Starts nothing more. Resolves once nothing is half done; runs go on by themselves. */
  close(): Promise<void>;
}

export function createQueue(deps: QueueDeps): Queue {
  const { requestLog, clock, log } = deps;
  const listeners: ((record: RequestRecord) => void)[] = [];
  const joining = new Map<string, RequestRecord>();
  const ends = createEndWriter(deps);
  const waiting = createWaitingList({ requestLog, ends, clock, log });
  const driver = createDriver({ step: () => stepper.step(), onError });
  const current = createCurrentRun({ ...deps, waiting, onOver: driver.drive });
  const cancelDeps = { ...deps, waiting, current, idle: driver.idle };
  const stepper = createStepper({ ...deps, waiting, current, begin });

  function adopt(live: LiveRun, served: readonly RequestRecord[]): void {
    current.adopt(live, served);
    driver.drive();
  }

  function begin(): Promise<Holder | undefined> {
    const onRelease = (record: RequestRecord) => {
      for (const listener of listeners) listener(record);
    };
    return beginRun({ ...deps, waiting, joining, ends, adopt, isClosed: () => driver.isClosed, onRelease });
  }

  /** Nothing has started. An unexpected error ends the requests rather than being retried for ever. */
  async function onError(error: unknown): Promise<void> {
    log.error({ error: messageOf(error) }, 'the queue met an error');
    const message = `kick agent met an error: ${messageOf(error)}`;
    await waiting.finishAll({ outcome: 'failed', message });
  }

  return {
    add(record) {
      waiting.add(record);
      driver.drive();
    },
    find: (name) =>
      waiting.find(name)?.record ??
      joining.get(name) ??
      current.get()?.served.find((record) => record.name === name),
    end: ends.write,
    waiting: waiting.count,
    isBusy: () => driver.isDriving || waiting.count() > 0 || current.get() !== undefined || ends.isBehind(),
    onRelease: (listener) => void listeners.push(listener),
    holder: () => current.progress() ?? (waiting.count() > 0 ? stepper.elsewhere() : undefined),
    cancel: (name) => cancelRequest(name, cancelDeps),
    cancelRun: () => cancelRun(cancelDeps),
    adopt,
    async close() {
      await driver.close();
      await ends.close();
      await current.close();
    },
  };
}
