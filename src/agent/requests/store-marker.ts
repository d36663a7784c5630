/**
 * DESIGN 5, "Where no store exists": a replay cannot be known. The marker says since when one does;
 * requests that were signed before are refused.
 */
import * as v from 'valibot';
import { MAX_SKEW_S } from '../../protocol/request.ts';
import { writeFileAtomic } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { readOrSetAside, type StoredFormat, storedText } from '../../util/stored-json.ts';

const MarkerSchema = v.object({ createdAt: v.number() });
const MARKER = { schema: MarkerSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;

/**
 * Makes the marker where there is none, or none that can be used: then there is no telling what was handled before.
 * Returns a function that returns the seconds since 1970 before which a request may have been signed for a store that has
 * been lost. A store that this process has made is dated by the monotonic clock: a wall clock that was set back does not
 * make an old request a new one.
 */
export async function openStoreMarker(
  path: string,
  { clock, log }: { clock: Clock; log: Log },
): Promise<() => number> {
  const marker = await readOrSetAside(path, MARKER, { log, means: 'requests signed before now are refused' });
  if (marker !== undefined) return () => Math.floor(marker.createdAt / 1000) - MAX_SKEW_S;
  const bornAt = clock.monotonic();
  await writeFileAtomic(path, storedText({ createdAt: clock.now() }, MARKER));
  return () => Math.floor((clock.now() - (clock.monotonic() - bornAt)) / 1000) - MAX_SKEW_S;
}
