/**
 * When a host's own runs are due: a grid of slots since 1970 in UTC, so that nothing drifts and summer
 * time has no effect. Each host's grid is shifted by a hash of its certname, so that a fleet is spread
 * evenly. Pure functions; all times are milliseconds since 1970.
 */
import { createHash } from 'node:crypto';

/** The part of the interval over which missed slots are caught up. */
const CATCH_UP = 0.1;

export interface Grid {
  intervalMs: number;
  /** From 0 to below `intervalMs`. */
  offsetMs: number;
  /** How long after waking up a missed slot is caught up: from 0 to below a tenth of the interval. */
  catchUpMs: number;
}

/** `splayMs`: over how much of the interval hosts are spread; 0: all at once. */
export function gridOf(
  certname: string,
  { intervalMs, splayMs }: { intervalMs: number; splayMs: number },
): Grid {
  const spread = Math.min(splayMs, intervalMs);
  // 48 bits are exact as a number.
  const hash = createHash('sha256').update(certname).digest().readUIntBE(0, 6);
  const share = hash / 2 ** 48;
  return {
    intervalMs,
    offsetMs: Math.floor(share * spread),
    // Regardless of the splay: a data centre that comes back must not run all at once.
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
  /** When the last run that counts for the schedule began; absent: none is known. */
  lastAt?: number | undefined;
  /** Since when the agent has been running without a gap: its start, or the end of a suspension. */
  awakeSince: number;
}

/** The part of the interval after a run in which slots are skipped: what a push has just done is not repeated. */
const REST = 0.5;

/** When the next run is due; now, if that is in the past. */
export function nextDue({ lastAt, awakeSince }: Past, grid: Grid): number {
  const { intervalMs, catchUpMs } = grid;
  if (lastAt === undefined) return firstSlot(awakeSince, grid);
  const slot = firstSlot(lastAt + intervalMs * REST, grid);
  if (slot >= awakeSince) return slot;
  return Math.min(awakeSince + catchUpMs, firstSlot(awakeSince, grid));
}
