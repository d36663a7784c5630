/**
 * DESIGN 5, "Where no store exists": a replay cannot be known. The marker says since when one does;
 * requests that were signed before are refused.
 */
import { readFile } from 'node:fs/promises';
import * as v from 'valibot';
import { MAX_SKEW_S } from '../../protocol/request.ts';
import { writeFileAtomic } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';

const MarkerSchema = v.object({ createdAt: v.number() });

/**
 * Makes the marker where there is none. Returns a function that gives the seconds since 1970 before
 * which a request may have been signed for a store that is no more. A store that this process has
 * made is dated by the monotonic clock: a wall clock that was set back does not make an old request
 * a new one.
 */
export async function openStoreMarker(path: string, clock: Clock): Promise<() => number> {
  try {
    const { createdAt } = v.parse(MarkerSchema, JSON.parse(await readFile(path, 'utf8')));
    return () => Math.floor(createdAt / 1000) - MAX_SKEW_S;
  } catch {
    // absent or broken: there is no telling what was handled before
  }
  const bornAt = clock.monotonic();
  await writeFileAtomic(path, JSON.stringify({ createdAt: clock.now() }));
  return () => Math.floor((clock.now() - (clock.monotonic() - bornAt)) / 1000) - MAX_SKEW_S;
}
