/** DESIGN 4: each run is a folder, on a tmpfs while it lasts, in the state directory when it is over. */
import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import { createFolderAtomic, syncFolder, writeFileAtomic } from '../../util/atomic-file.ts';
import { exists } from '../../util/files.ts';
import { type Log, silentLog } from '../../util/log.ts';
import { createStoredReader, StoredProblem, storedText } from '../../util/stored-json.ts';
import { appendEvents, EVENT_FILE, type KeptEvent, mendEvents, readEvents } from './event-file.ts';
import { INTENTION, type Intention, RUN_RECORD, type RunRecord } from './run-record.ts';
import { readWrapperFiles, type WrapperFiles } from './wrapper-files.ts';

export const RUN_FILES = {
  output: 'output',
  log: 'log.jsonl',
  report: 'report.yaml',
  disabled: 'disabled.json',
} as const;

export interface RunStore {
  liveDir(run: string): string;
  create(record: RunRecord): Promise<void>;
  update(record: RunRecord): Promise<void>;
  /** `unusable`: of a newer version, or broken; its folder stays as it is. */
  record(run: string): Promise<RunRecord | 'unusable' | undefined>;
  listLive(): Promise<string[]>;
  /** Whether its folder is there: somebody may have emptied the volatile directory. */
  isLive(run: string): Promise<boolean>;
  wrapperFiles(run: string): Promise<WrapperFiles>;
  intention(run: string): Promise<Intention | undefined>;
  intend(run: string, intention: Intention): Promise<void>;
  events(run: string, offset?: number): Promise<{ events: KeptEvent[]; offset: number }>;
  append(run: string, events: readonly KeptEvent[]): Promise<void>;
  mend(run: string): Promise<void>;
  /** Makes the end durable: the folder with its last event appears in the state directory. */
  settle(run: string, last: FinishedEvent & KeptEvent): Promise<void>;
  isSettled(run: string): Promise<boolean>;
  discard(run: string): Promise<void>;
}

/** What is left of a run when it is over; its output is in its events. */
const KEPT_FILES = ['record.json', 'intention.json', EVENT_FILE, RUN_FILES.report];

export function openRunStore(
  live: string,
  settled: string,
  { log = silentLog }: { log?: Log } = {},
): RunStore {
  const stored = createStoredReader(log);
  const liveDir = (run: string) => join(live, run);
  const settledDir = (run: string) => join(settled, run);

  return {
    liveDir,
    async create(record) {
      // Somebody may have emptied the volatile directory since the agent started.
      await mkdir(live, { recursive: true, mode: 0o700 });
      await createFolderAtomic(liveDir(record.run), {
        'record.json': storedText(record, RUN_RECORD),
        [EVENT_FILE]: '',
        [RUN_FILES.output]: '',
      });
    },
    update: (record) =>
      writeFileAtomic(join(liveDir(record.run), 'record.json'), storedText(record, RUN_RECORD)),
    async record(run) {
      const path = join(liveDir(run), 'record.json');
      const record = await stored.read(path, RUN_RECORD);
      if (typeof record !== 'object' || record.run === run) return record;
      stored.complain(new StoredProblem(path, `it is the record of "${record.run}"`, {}));
      return 'unusable';
    },
    async listLive() {
      return (await readdir(live)).filter((name) => !name.startsWith('.'));
    },
    isLive: (run) => exists(liveDir(run)),
    wrapperFiles: (run) => readWrapperFiles(liveDir(run)),
    async intention(run) {
      const found = await stored.read(join(liveDir(run), 'intention.json'), INTENTION);
      return found === 'unusable' ? undefined : found;
    },
    intend: (run, intention) =>
      writeFileAtomic(join(liveDir(run), 'intention.json'), storedText(intention, INTENTION)),
    async events(run, offset) {
      // The settled file begins with the very bytes of the live one, so an offset holds for both.
      const path = (await exists(settledDir(run))) ? settledDir(run) : liveDir(run);
      return readEvents(join(path, EVENT_FILE), offset);
    },
    append: (run, events) => appendEvents(join(liveDir(run), EVENT_FILE), events),
    mend: (run) => mendEvents(join(liveDir(run), EVENT_FILE)),
    settle: (run, last) => settleFolder({ from: liveDir(run), settled, run }, last),
    isSettled: (run) => exists(settledDir(run)),
    discard: (run) => rm(liveDir(run), { recursive: true, force: true }),
  };
}

async function settleFolder(
  { from, settled, run }: { from: string; settled: string; run: string },
  last: FinishedEvent & KeptEvent,
): Promise<void> {
  const temporary = join(settled, `.tmp-${run}`);
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  for (const file of KEPT_FILES) await copyIfThere(join(from, file), join(temporary, file));
  await appendEvents(join(temporary, EVENT_FILE), [last]);
  await syncFolder(temporary);
  await rename(temporary, join(settled, run));
  await syncFolder(settled);
  await rm(from, { recursive: true, force: true });
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
