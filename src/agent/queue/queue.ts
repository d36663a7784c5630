/**
 * DESIGN 4, one run at a time: requests that wait, and the one run that serves all of them whose
 * action is equal. A request may join until the run is released, never later.
 */
import { messageOf } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
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
  /** Takes a request whose folder is there already. */
  add(record: RequestRecord): void;
  /** How many wait, without those that a run serves. */
  waiting(): number;
  /** Who holds this host's lock, as far as we know without looking, and whether that seems to be stuck. */
  holder(): Holder | undefined;
  /** From now on `listener` is called when a run is released, with the request that it was made for. */
  whenLetGo(listener: (record: RequestRecord) => void): void;
  /** Takes a request off; returns what was done, or undefined when it neither waits nor runs. */
  cancel(name: string): Promise<string | undefined>;
  /** Ends the run in progress if it is one of kick's, and with it all requests that it serves. */
  cancelRun(): Promise<CommandReply>;
  /** Goes on with a run that was found alive, for these requests. */
  adopt(run: LiveRun, requests: readonly RequestRecord[]): void;
  /** Starts nothing any more. Resolves when nothing is half done; runs go on by themselves. */
  close(): Promise<void>;
}

export function createQueue(deps: QueueDeps): Queue {
  const { requestLog, clock, log } = deps;
  const listeners: ((record: RequestRecord) => void)[] = [];
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
    const onLetGo = (record: RequestRecord) => {
      for (const listener of listeners) listener(record);
    };
    return beginRun({ ...deps, waiting, ends, adopt, isClosed: () => driver.isClosed, onLetGo });
  }

  /** Nothing has begun. An error that is not known to pass is an end, and no reason to try for ever. */
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
    waiting: waiting.count,
    whenLetGo: (listener) => void listeners.push(listener),
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
