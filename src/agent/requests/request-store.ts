/**
 * DESIGN 4: each accepted request is a folder, made complete and renamed: its appearance *is*
 * "accepted" and *is* "seen". It names the run that serves it; its outcome is derived from that run.
 */
import { createHash } from 'node:crypto';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Event, StoredEvent } from '../../protocol/event.ts';
import type { RequestKey, RunRequest } from '../../protocol/request.ts';
import { createFolderAtomic, writeFileAtomic } from '../../util/atomic-file.ts';
import { readOwnJson } from '../../util/files.ts';
import { appendEvents, EVENT_FILE, mendEvents, readEvents } from '../runs/event-file.ts';
import type { RunRecord } from '../runs/run-store.ts';

/** What a request knows of its run besides: the run's own folder is not as durable. */
export type AssignedRun = Pick<RunRecord, 'run' | 'boot' | 'wrapper' | 'inner'>;

/**
 * The run that serves a request; run events follow the request's own in its stream. In another boot than its own, a run
 * without a folder is over.
 */
export interface Assignment extends AssignedRun {
  /** The number of the request's last event of its own. */
  base: number;
}

export interface RequestRecord {
  name: string;
  request: RunRequest;
  /** Milliseconds since 1970. */
  acceptedAt: number;
}

const GONE = '.gone';

export interface RequestStore {
  /** Makes the folder with its first event. False when the key is known already. */
  create(record: RequestRecord, first: Event): Promise<boolean>;
  /** What is kept under a name; `gone` when only the fact that it was is kept. */
  read(name: string): Promise<RequestRecord | 'gone' | undefined>;
  /** Whether what became of it is still kept. */
  isKept(name: string): Promise<boolean>;
  list(): Promise<string[]>;
  assignment(name: string): Promise<Assignment | undefined>;
  assign(name: string, assignment: Assignment): Promise<void>;
  unassign(name: string): Promise<void>;
  ownEvents(name: string, offset?: number): Promise<{ events: StoredEvent[]; offset: number }>;
  appendOwn(name: string, events: readonly StoredEvent[]): Promise<void>;
  mend(name: string): Promise<void>;
  /** Forgets what became of it, but not that it was (DESIGN 5: a known key whose folder is gone). */
  retire(name: string): Promise<void>;
  /** Forgets altogether what is older than a time (milliseconds since 1970). */
  forget(name: string, before: number): Promise<boolean>;
}

/** The folder of a key: readable, and no longer than a file name may be. */
export function requestName({ iss, job, attempt }: RequestKey): string {
  return `${job}.${attempt}.${createHash('sha256').update(iss).digest('hex').slice(0, 16)}`;
}

/** The beginning of the names of all attempts of a job. */
export function jobPrefix(job: string): string {
  return `${job}.`;
}

export function openRequestStore(folder: string): RequestStore {
  const at = (name: string, ...rest: string[]) => join(folder, name, ...rest);

  async function isGone(name: string): Promise<boolean> {
    return (await statOf(at(name + GONE))) !== undefined;
  }

  return {
    async create(record, first) {
      if (await isGone(record.name)) return false;
      const event: StoredEvent = { ...first, seq: 1, at: record.acceptedAt };
      try {
        await createFolderAtomic(at(record.name), {
          'request.json': JSON.stringify(record),
          [EVENT_FILE]: `${JSON.stringify(event)}\n`,
        });
        return true;
      } catch (error) {
        if (['EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) return false;
        throw error;
      }
    },
    async read(name) {
      const record = await readOwnJson<RequestRecord>(at(name, 'request.json'));
      return record ?? ((await isGone(name)) ? 'gone' : undefined);
    },
    isKept: async (name) => (await statOf(at(name, 'request.json'))) !== undefined,
    async list() {
      const names = await readdir(folder);
      return names.filter((name) => !name.startsWith('.')).map((name) => name.replace(/\.gone$/, ''));
    },
    assignment: (name) => readOwnJson<Assignment>(at(name, 'run.json')),
    assign: (name, assignment) => writeFileAtomic(at(name, 'run.json'), JSON.stringify(assignment)),
    unassign: (name) => rm(at(name, 'run.json'), { force: true }),
    async ownEvents(name, offset) {
      const found = await readEvents(at(name, EVENT_FILE), offset);
      return { ...found, events: found.events as StoredEvent[] };
    },
    appendOwn: (name, events) => appendEvents(at(name, EVENT_FILE), events),
    mend: (name) => mendEvents(at(name, EVENT_FILE)),
    async retire(name) {
      await writeFile(at(name + GONE), '', { mode: 0o600 });
      await rm(at(name), { recursive: true, force: true });
    },
    async forget(name, before) {
      const found = (await statOf(at(name, 'request.json'))) ?? (await statOf(at(name + GONE)));
      if (found === undefined || found.mtimeMs >= before) return false;
      await rm(at(name), { recursive: true, force: true });
      await rm(at(name + GONE), { force: true });
      return true;
    },
  };
}

async function statOf(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
