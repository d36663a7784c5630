import { copyFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { FinishedEvent } from '../../protocol/event.ts';
import type { By, RunAction } from '../../protocol/request.ts';
import { createFolderAtomic, syncFolder, writeFileAtomic } from '../../util/atomic-file.ts';
import { exists, readOwnJson } from '../../util/files.ts';
import type { ProcessId } from '../../util/proc.ts';
import { appendEvents, EVENT_FILE, type KeptEvent, mendEvents, readEvents } from './event-file.ts';
import type { SiteSettings } from './run-notes.ts';

/** Where Puppet leaves what a run is judged by. */
export interface PuppetPaths {
  lastRunReport: string;
  runLock: string;
  disabledLock: string;
  /** What else the host's own settings said. */
  site?: SiteSettings;
}

export interface RunRecord {
  run: string;
  boot: string;
  action: RunAction;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Milliseconds the run may take; absent: no limit. */
  timeLimitMs?: number;
  /** As they were when the run began: it may change Puppet's configuration, or Puppet itself. */
  puppet?: PuppetPaths;
  /** Who asked first, for those who wait for this run. */
  by: By;
  job: string;
  /** Known once the wrapper holds the lock; it is let go only after this is on disk. */
  wrapper?: ProcessId;
  /** What becomes the command when it is let go; it may outlive the wrapper before it has told that it began. */
  inner?: ProcessId;
}

/** Why a run is being ended; written down before the first signal (DESIGN 3, rule 2). */
export interface Intention {
  outcome: 'cancelled' | 'timed-out';
  /** A sentence for people. */
  message: string;
}

/** What the wrapper tells, see wrapper.ts. */
export interface WrapperFiles {
  /** Puppet itself and when it began, milliseconds since 1970. */
  started?: { process: ProcessId; at: number };
  /** Its exit status, 128 + n for a signal. */
  exit?: number;
  /** What it saw at that moment. */
  notes?: EndNotes;
}

/** How things were when a run ended: by the time that it is judged they may have changed. */
export interface EndNotes {
  /** Milliseconds since 1970. */
  at: number;
  /** The signals that the wrapper got, too, as the whole session does at a shutdown: `SIGTERM`. */
  caught: string[];
  /** Puppet's run lock names a process that lives. */
  isLocked: boolean;
  /** agent_disabled.lock was there: a copy of it is among the run's files. */
  isDisabled: boolean;
}

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
  record(run: string): Promise<RunRecord | undefined>;
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

export function openRunStore(live: string, settled: string): RunStore {
  const liveDir = (run: string) => join(live, run);
  const settledDir = (run: string) => join(settled, run);

  return {
    liveDir,
    async create(record) {
      // Somebody may have emptied the volatile directory since the agent started.
      await mkdir(live, { recursive: true, mode: 0o700 });
      await createFolderAtomic(liveDir(record.run), {
        'record.json': JSON.stringify(record),
        [EVENT_FILE]: '',
        [RUN_FILES.output]: '',
      });
    },
    update: (record) => writeFileAtomic(join(liveDir(record.run), 'record.json'), JSON.stringify(record)),
    record: (run) => readOwnJson<RunRecord>(join(liveDir(run), 'record.json')),
    async listLive() {
      return (await readdir(live)).filter((name) => !name.startsWith('.'));
    },
    isLive: (run) => exists(liveDir(run)),
    async wrapperFiles(run) {
      return {
        ...(await readStarted(join(liveDir(run), 'started'))),
        ...(await readExit(join(liveDir(run), 'exit'))),
      };
    },
    intention: (run) => readOwnJson<Intention>(join(liveDir(run), 'intention.json')),
    intend: (run, intention) =>
      writeFileAtomic(join(liveDir(run), 'intention.json'), JSON.stringify(intention)),
    async events(run, offset) {
      // The settled file begins with the very bytes of the live one, so an offset holds for both.
      const path = (await exists(settledDir(run))) ? settledDir(run) : liveDir(run);
      return readEvents(join(path, EVENT_FILE), offset);
    },
    append: (run, events) => appendEvents(join(liveDir(run), EVENT_FILE), events),
    mend: (run) => mendEvents(join(liveDir(run), EVENT_FILE)),
    async settle(run, last) {
      const temporary = join(settled, `.tmp-${run}`);
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { recursive: true, mode: 0o700 });
      for (const file of KEPT_FILES) {
        await copyIfThere(join(liveDir(run), file), join(temporary, file));
      }
      await appendEvents(join(temporary, EVENT_FILE), [last]);
      await syncFolder(temporary);
      await rename(temporary, settledDir(run));
      await syncFolder(settled);
      await rm(liveDir(run), { recursive: true, force: true });
    },
    isSettled: (run) => exists(settledDir(run)),
    discard: (run) => rm(liveDir(run), { recursive: true, force: true }),
  };
}

async function copyIfThere(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

async function readStarted(path: string): Promise<Pick<WrapperFiles, 'started'>> {
  try {
    const [pid = '', start = ''] = (await readFile(path, 'utf8')).trim().split(' ');
    const { mtimeMs } = await stat(path);
    return { started: { process: { pid: Number(pid), start }, at: Math.round(mtimeMs) } };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
}

/** The exit status, then a note a line; see wrapper.ts. */
async function readExit(path: string): Promise<Pick<WrapperFiles, 'exit' | 'notes'>> {
  try {
    const [status = '', ...lines] = (await readFile(path, 'utf8')).trim().split('\n');
    const exit = Number(status);
    if (status === '' || !Number.isInteger(exit)) return {};
    // Left by the wrapper of an older version, which noted nothing.
    if (lines.length === 0) return { exit };
    const { mtimeMs } = await stat(path);
    return { exit, notes: notesOf(lines, Math.round(mtimeMs)) };
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {};
    throw error;
  }
}

function notesOf(lines: readonly string[], at: number): EndNotes {
  const [, ...caught] = lines.find((line) => line.startsWith('caught'))?.split(' ') ?? [];
  return {
    at,
    caught: caught.map((name) => `SIG${name}`),
    isLocked: lines.includes('locked'),
    isDisabled: lines.includes('disabled'),
  };
}
