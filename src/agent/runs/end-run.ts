/** DESIGN 4, "Stopping": a run is ended once, for the first reason given, which is on disk before the first signal. */
import { type Clock, sleep } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { RunEvents } from './run-events.ts';
import type { RunProcess } from './run-process.ts';
import type { Intention, RunRecord } from './run-record.ts';
import type { RunStore } from './run-store.ts';
import { stopProcess } from './stop-run.ts';

/** Milliseconds between checks whether Puppet has started. */
const POLL_MS = 50;

export interface EnderDeps {
  runs: RunStore;
  clock: Clock;
  log: Log;
  /** Milliseconds between TERM and KILL. */
  killGraceMs: number;
}

export interface RunEnder {
  /** Never rejects. */
  stop(intention: Intention): Promise<void>;
  isStopping(): boolean;
  /** Resolves once nothing is being ended any more. */
  done(): Promise<void>;
  /** Why it is being ended, even if that could not be stored. */
  intended(): Intention | undefined;
}

export function createRunEnder(
  record: RunRecord,
  { process, events }: { process: RunProcess; events: RunEvents },
  { runs, clock, log, killGraceMs }: EnderDeps,
): RunEnder {
  const { run, job, inner } = record;
  let stopping: Promise<void> | undefined;
  let intended: Intention | undefined;

  async function end(intention: Intention): Promise<void> {
    const found = await runs.intention(run);
    // One that cannot be read stands for whatever it was, if nobody says anything better.
    const first = intended ?? (found === undefined || found.outcome === 'failed' ? intention : found);
    intended = first;
    await events.wherePossible(() => runs.intend(run, first));
    log.info({ run, job, outcome: intention.outcome }, 'ending a run');
    while (process.puppet() === undefined && !process.isOver() && (await runs.isLive(run)))
      await sleep(POLL_MS);
    const target = process.puppet() ?? inner;
    if (target !== undefined && process.lives(target))
      await stopProcess(target, { clock, graceMs: killGraceMs });
  }

  return {
    stop(intention) {
      stopping ??= end(intention).catch((error: unknown) => {
        log.error({ run, error: String(error) }, 'cannot end a run');
        stopping = undefined; // whoever asks again is heard
      });
      return stopping;
    },
    isStopping: () => stopping !== undefined,
    done: async () => stopping,
    intended: () => intended,
  };
}
