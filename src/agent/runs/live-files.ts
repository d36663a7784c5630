/** What the agent itself stores of a run in progress: its record, and why it is being ended. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type * as v from 'valibot';
import { createFolderAtomic } from '../../util/atomic-file.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { readStored, type StoredFormat, StoredProblem, storedText } from '../../util/stored-json.ts';
import { EVENT_FILE } from './event-file.ts';
import { RUN_FILES } from './run-files.ts';
import { INTENTION, type Intention, RUN_RECORD, type RunRecord } from './run-record.ts';

export interface LiveFiles {
  create(record: RunRecord): Promise<void>;
  update(record: RunRecord): Promise<void>;
  /** `damaged`: it cannot be read, and is set aside; or it is missing. */
  record(run: string): Promise<RunRecord | 'damaged'>;
  intention(run: string): Promise<Intention | undefined>;
  intend(run: string, intention: Intention): Promise<void>;
}

/** `live`: the folder of runs in progress. */
export function createLiveFiles(live: string, quarantine: Quarantine): LiveFiles {
  const recordOf = (run: string) => join(live, run, 'record.json');
  const intentionOf = (run: string) => join(live, run, 'intention.json');
  return {
    async create(record) {
      // Somebody may have emptied the volatile directory since the agent started.
      await mkdir(live, { recursive: true, mode: 0o700 });
      await createFolderAtomic(join(live, record.run), {
        'record.json': storedText(record, RUN_RECORD),
        [EVENT_FILE]: '',
        [RUN_FILES.output]: '',
      });
    },
    update: (record) => quarantine.replace(recordOf(record.run), storedText(record, RUN_RECORD)),
    async record(run) {
      const record = await usable(recordOf(run), RUN_RECORD, quarantine);
      if (record === undefined || record.run === run) return record ?? 'damaged';
      await quarantine.setAside(recordOf(run), `it is the record of "${record.run}"`);
      return 'damaged';
    },
    intention: (run) => usable(intentionOf(run), INTENTION, quarantine),
    intend: (run, intention) => quarantine.replace(intentionOf(run), storedText(intention, INTENTION)),
  };
}

/** Undefined if there is none, or none that can be read: that is set aside. */
async function usable<S extends v.GenericSchema>(
  path: string,
  format: StoredFormat<S>,
  quarantine: Quarantine,
): Promise<v.InferOutput<S> | undefined> {
  try {
    return await readStored(path, format);
  } catch (error) {
    if (!(error instanceof StoredProblem)) throw error;
    await quarantine.setAside(path, error.why);
    return undefined;
  }
}
