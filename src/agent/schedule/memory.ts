/** When the last run that counts for the schedule began: kept across restarts, and corrected when the clock is set. */
import * as v from 'valibot';
import { messageOf } from '../../errors.ts';
import { time } from '../../util/bounds.ts';
import type { Clock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { readOrSetAside, type StoredFormat, storedText } from '../../util/stored-json.ts';
import type { Past } from './slots.ts';

/** Milliseconds between two checks from which the machine must have been suspended, or the clock set. */
const GAP_MS = 60_000;

const MemorySchema = v.object({ lastAt: time });
const MEMORY = { schema: MemorySchema, version: 1 } satisfies StoredFormat<v.GenericSchema>;

export interface Memory {
  past(): Past;
  /** Call at each check; returns the time, milliseconds since 1970. */
  look(): number;
  /** Records that a run began at that time. */
  note(at: number): Promise<void>;
}

export interface MemoryDeps {
  clock: Clock;
  log: Log;
  quarantine: Quarantine;
}

export async function openMemory(path: string, { clock, log, quarantine }: MemoryDeps): Promise<Memory> {
  const means = 'no earlier run is known';
  const kept = await readOrSetAside(path, MEMORY, { log, quarantine, means });
  let awakeSince = clock.now();
  let lastAt = kept && Math.min(kept.lastAt, awakeSince);
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
        await quarantine.replace(path, storedText({ lastAt }, MEMORY));
      } catch (error) {
        // At worst there is one run too many after a restart.
        log.warn({ error: messageOf(error) }, 'cannot store when the last run began');
      }
    },
  };
}
