/** When the last run began that counts for the schedule: kept across restarts, and corrected when the clock is set. */
import * as v from 'valibot';
import { messageOf } from '../../errors.ts';
import { writeFileAtomic } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { readOrSetAside, type StoredFormat, storedText } from '../../util/stored-json.ts';
import type { Past } from './slots.ts';

/** Milliseconds between two looks that mean that the machine was suspended, or the clock was set. */
const GAP_MS = 60_000;

const MemorySchema = v.object({ lastAt: v.pipe(v.number(), v.integer(), v.minValue(0)) });
const MEMORY = { schema: MemorySchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;

export interface Memory {
  past(): Past;
  /** Returns the time, milliseconds since 1970. */
  look(): number;
  /** A run began at that time. */
  note(at: number): Promise<void>;
}

export async function openMemory(path: string, { clock, log }: { clock: Clock; log: Log }): Promise<Memory> {
  let lastAt = (await readOrSetAside(path, MEMORY, { log, means: 'no earlier run is known' }))?.lastAt;
  let awakeSince = clock.now();
  let lookedAt = awakeSince;
  return {
    past: () => ({ lastAt, awakeSince }),
    look() {
      const now = clock.now();
      if (now - lookedAt > GAP_MS) awakeSince = now;
      // The clock may have been set back.
      awakeSince = Math.min(awakeSince, now);
      if (lastAt !== undefined) lastAt = Math.min(lastAt, now);
      lookedAt = now;
      return now;
    },
    async note(at) {
      lastAt = at;
      try {
        await writeFileAtomic(path, storedText({ lastAt }, MEMORY));
      } catch (error) {
        // The cost is one run too many after a restart.
        log.warn({ error: messageOf(error) }, 'cannot remember when the last run began');
      }
    },
  };
}
