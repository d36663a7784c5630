/**
 * DESIGN 5, "Where no store exists": without a store replays cannot be recognised. The marker says since
 * when there has been one; requests signed before that are refused.
 */
import * as v from 'valibot';
import { messageOf } from '../../errors.ts';
import { MAX_SKEW_S } from '../../protocol/request.ts';
import { time } from '../../util/bounds.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { readOrSetAside, type StoredFormat, storedText } from '../../util/stored-json.ts';

const MarkerSchema = v.object({ createdAt: time });
const MARKER = { schema: MarkerSchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;

/**
 * Creates the marker if there is none that can be used: what was handled before is then unknown. Returns a function that
 * returns the time in seconds since 1970 before which requests may have been handled by a lost store. A store created by
 * this process is dated by the monotonic clock, so that setting the wall clock back does not make old requests new. Never
 * rejects.
 */
export async function openStoreMarker(
  path: string,
  { clock, log, quarantine }: { clock: Clock; log: Log; quarantine: Quarantine },
): Promise<() => number> {
  const means = 'requests signed before now are refused';
  const marker = await readOrSetAside(path, MARKER, { log, quarantine, means });
  // A store that began in the future was made by a clock that has been set back: it is as good as made now.
  const isUsable = marker !== undefined && marker.createdAt <= clock.now();
  if (isUsable) return () => Math.floor(marker.createdAt / 1000) - MAX_SKEW_S;
  const bornAt = clock.monotonic();
  try {
    await quarantine.replace(path, storedText({ createdAt: clock.now() }, MARKER));
  } catch (error) {
    // The next agent tries again, and refuses what was signed before its own start.
    log.error({ path, error: messageOf(error) }, 'cannot mark the state directory');
  }
  return () => Math.floor((clock.now() - (clock.monotonic() - bornAt)) / 1000) - MAX_SKEW_S;
}
