/**
 * The events of a run in progress, appended to its folder; dropped if somebody has removed that. Events that cannot be written
 * (the run itself may have filled it, or its disk has become read-only) are counted.
 */
import { isFull, isUnwritable, messageOf, systemCode } from '../../errors.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { Notifier } from '../requests/notifier.ts';
import type { KeptEvent } from './event-file.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';

export interface RunEvents {
  append(events: readonly KeptEvent[]): Promise<void>;
  /**
   * Writes to the run's folder; false if that has vanished or nothing can be written there: the run goes on, and its end can
   * still be reported.
   */
  wherePossible(write: () => Promise<void>): Promise<boolean>;
  /** Once the run is over and its output has been read: reports what was dropped, if anything. */
  tellLost(): Promise<void>;
  /** Whether there is something that could not even be reported as dropped. */
  isCut(): boolean;
  /** Milliseconds since 1970: when the run last printed anything, or started. */
  progressAt(): number;
  /** Records that it printed something at that time. */
  sawProgress(at: number): void;
}

export function createRunEvents(
  { run, createdAt }: RunRecord,
  { runs, notifier, clock, log }: { runs: RunStore; notifier: Notifier; clock: Clock; log: Log },
): RunEvents {
  let progressAt = createdAt;
  let lostBytes = 0;
  let isTold = false;

  async function wherePossible(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      return true;
    } catch (error) {
      const isGone = systemCode(error) === 'ENOENT' && !(await runs.isLive(run));
      if (!isGone && !isUnwritable(error)) throw error;
      const why = isFull(error)
        ? 'no space left for the output of a run'
        : 'cannot store the output of a run';
      if (!isGone && !isTold) log.warn({ run, error: messageOf(error) }, why);
      isTold ||= !isGone;
      return false;
    }
  }

  async function write(events: readonly KeptEvent[]): Promise<void> {
    const dropped: KeptEvent[] =
      lostBytes > 0 ? [{ type: 'dropped', bytes: lostBytes, at: clock.now() }] : [];
    const isKept = await wherePossible(() => runs.append(run, [...dropped, ...events]));
    lostBytes = isKept ? 0 : lostBytes + JSON.stringify(events).length;
    notifier.notify(run);
  }

  return {
    wherePossible,
    async append(events) {
      if (events.length === 0) return;
      progressAt = clock.now();
      await write(events);
    },
    async tellLost() {
      if (lostBytes === 0) return;
      await runs.freeOutput(run);
      await write([]);
    },
    isCut: () => lostBytes > 0,
    progressAt: () => progressAt,
    sawProgress(at) {
      progressAt = Math.max(progressAt, at);
    },
  };
}
