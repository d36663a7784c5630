/** What an agent does at regular intervals. */
import type { Clock } from '../../util/clock.ts';
import type { Parts } from '../open-parts.ts';
import { prune } from '../requests/prune.ts';
import type { Duty } from './duties.ts';
import type { Schedule } from './schedule.ts';

const PRUNE_EVERY_MS = 3_600_000;

/** Milliseconds between checks of what is due: the clock may be set, and the machine may be suspended. */
const LOOK_EVERY_MS = 5_000;

/** Milliseconds between writes of the metrics even if nothing was counted. */
const METRICS_EVERY_MS = 60_000;

export interface DutyOptions {
  schedule: Pick<Schedule, 'look'>;
  clock: Clock;
  /** Milliseconds between checks of what is due; defaults to 5 s. */
  lookEveryMs?: number | undefined;
}

export function dutiesOf(
  parts: Parts,
  { schedule, clock, lookEveryMs = LOOK_EVERY_MS }: DutyOptions,
): Duty[] {
  const { disabling, metrics } = parts;
  return [
    { what: 'prune', everyMs: PRUNE_EVERY_MS, work: () => pruneParts(parts, clock) },
    { what: 'enable Puppet when it is due', everyMs: lookEveryMs, work: () => disabling.expire() },
    { what: 'start a scheduled run', everyMs: lookEveryMs, work: () => schedule.look() },
    { what: 'write the metrics', everyMs: METRICS_EVERY_MS, work: () => metrics.write() },
  ];
}

export function pruneParts(
  { layout, requests, requestLog, quarantines }: Parts,
  clock: Pick<Clock, 'now'>,
): Promise<void> {
  return prune(clock.now(), {
    ...{ requests, requestLog, runsDir: layout.runs },
    quarantines: [quarantines.live, quarantines.settled],
  });
}
