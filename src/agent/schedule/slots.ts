/**
 * When a host's own runs are due: a grid of slots since 1970 in UTC, so that nothing drifts and a
 * change to or from summer time means nothing; each host's grid is shifted by a hash of its certname,
 * so that a fleet is spread evenly. Pure: times in, a time out; all in milliseconds since 1970.
 */
import { createHash } from 'node:crypto';

/** Of the interval: over how much of it missed slots are caught up. */
const CATCH_UP = 0.1;

export interface Grid {
  intervalMs: number;
  /** From 0 to below `intervalMs`. */
  offsetMs: number;
  /** From 0 to below a tenth of the interval: where in it a missed slot is caught up. */
  catchUpMs: number;
}

/** `splayMs`: over how much of the interval hosts are spread; 0: all at once. */
export function gridOf(certname: string, intervalMs: number, splayMs: number): Grid {
  const spread = Math.min(splayMs, intervalMs);
  // 48 bits: a number that stays exact.
  const hash = createHash('sha256').update(certname).digest().readUIntBE(0, 6);
  const share = hash / 2 ** 48;
  return {
    intervalMs,
    offsetMs: Math.floor(share * spread),
    // Whatever the splay is: a data centre that comes back must not come at once.
    catchUpMs: Math.floor(share * intervalMs * CATCH_UP),
  };
}

/** The first slot at `from` or later. */
export function firstSlot(
  from: number,
  { intervalMs, offsetMs }: Pick<Grid, 'intervalMs' | 'offsetMs'>,
): number {
  return Math.ceil((from - offsetMs) / intervalMs) * intervalMs + offsetMs;
}

export interface Past {
  /** When the last run began that counts for the schedule; absent: none is known. */
  lastAt?: number | undefined;
  /** Since when the agent looks at its clock without a gap: its start, or the end of a suspension. */
  awakeSince: number;
}

/** Of the interval: how soon after a run no slot counts. What a push has just done is not done again. */
const REST = 0.5;

/** When the next run is due; it may be past, then it is due now. */
export function nextDue({ lastAt, awakeSince }: Past, grid: Grid): number {
  const { intervalMs, catchUpMs } = grid;
  if (lastAt === undefined) return firstSlot(awakeSince, grid);
  const slot = firstSlot(lastAt + intervalMs * REST, grid);
  if (slot >= awakeSince) return slot;
  return Math.min(awakeSince + catchUpMs, firstSlot(awakeSince, grid));
}
