/** How the end of a run is reported. */
import type { FinishedEvent } from '../../protocol/event.ts';
import type { Ending } from '../judge/evidence.ts';
import type { KeptEvent } from './event-file.ts';
import type { RunRecord } from './run-record.ts';

export type FinishedRun = FinishedEvent & KeptEvent;

export type RunEnd = FinishedRun | LostRace | 'left';

/** Puppet found its run lock taken and did nothing. `isHeld`: somebody still holds it. */
export interface LostRace {
  type: 'race-lost';
  isHeld: boolean;
  /** The end to report if the run is not retried. */
  otherwise: FinishedRun;
}

/** The last event of a run. */
export function finishedEvent(
  { run }: RunRecord,
  ending: Ending,
  {
    exit,
    startedAt,
    endedAt,
  }: { exit?: number | undefined; startedAt?: number | undefined; endedAt: number },
): FinishedRun {
  return {
    type: 'finished',
    run,
    at: endedAt,
    endedAt,
    ...ending,
    ...(startedAt !== undefined && { startedAt }),
    ...(exit !== undefined && { exit }),
  };
}
