/** The events of a run in progress: appended to its folder, and to nowhere once somebody has emptied that. */
import { systemCode } from '../../errors.ts';
import type { Clock } from '../../util/clock.ts';
import type { Notifier } from '../requests/notifier.ts';
import type { KeptEvent } from './event-file.ts';
import type { RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';

export interface RunEvents {
  append(events: readonly KeptEvent[]): Promise<void>;
  /** Does a write to the run's folder, unless that has vanished: the run goes on, and its end can still be reported. */
  unlessVanished(write: () => Promise<void>): Promise<void>;
  /** Milliseconds since 1970: when the run last printed anything, or began. */
  progressAt(): number;
  /** It was seen to print something at that time. */
  sawProgress(at: number): void;
}

export function createRunEvents(
  { run, createdAt }: RunRecord,
  { runs, notifier, clock }: { runs: RunStore; notifier: Notifier; clock: Clock },
): RunEvents {
  let progressAt = createdAt;

  async function unlessVanished(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || (await runs.isLive(run))) throw error;
    }
  }

  return {
    unlessVanished,
    async append(events) {
      if (events.length === 0) return;
      progressAt = clock.now();
      await unlessVanished(() => runs.append(run, events));
      notifier.notify(run);
    },
    progressAt: () => progressAt,
    sawProgress(at) {
      progressAt = Math.max(progressAt, at);
    },
  };
}
