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
  /** One that cannot be read is set aside, and replaced by one that says so. */
  intention(run: string): Promise<Intention | undefined>;
  intend(run: string, intention: Intention): Promise<void>;
}

/** Somebody wanted the run to end, and that still holds. */
const UNREADABLE: Intention = {
  outcome: 'failed',
  message: 'the record is damaged: why the run was ended cannot be read',
};

/** `live`: the folder of runs in progress. */
export function createLiveFiles(live: string, quarantine: Quarantine): LiveFiles {
  const recordOf = (run: string) => join(live, run, 'record.json');
  const intentionOf = (run: string) => join(live, run, 'intention.json');
  const intend = (run: string, intention: Intention) =>
    quarantine.replace(intentionOf(run), storedText(intention, INTENTION));
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
      if (record === undefined || record === 'damaged' || record.run === run) return record ?? 'damaged';
      await quarantine.setAside(recordOf(run), `it is the record of "${record.run}"`);
      return 'damaged';
    },
    async intention(run) {
      const found = await usable(intentionOf(run), INTENTION, quarantine);
      if (found !== 'damaged') return found;
      // On a full disk whoever asked keeps it in mind.
      await intend(run, UNREADABLE).catch(() => {});
      return UNREADABLE;
    },
    intend,
  };
}

/** Undefined if there is none; one that cannot be read is set aside. */
async function usable<S extends v.GenericSchema>(
  path: string,
  format: StoredFormat<S>,
  quarantine: Quarantine,
): Promise<v.InferOutput<S> | 'damaged' | undefined> {
  try {
    return await readStored(path, format);
  } catch (error) {
    if (!(error instanceof StoredProblem)) throw error;
    await quarantine.setAside(path, error.why);
    return 'damaged';
  }
}
