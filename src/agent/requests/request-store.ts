/**
 * DESIGN 4: each accepted request is a folder, made complete and renamed: its appearance *is*
 * "accepted" and *is* "seen". It names the run that serves it; its outcome is derived from that run.
 */
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Event, StoredEvent } from '../../protocol/event.ts';
import { createFolderAtomic, writeFileAtomic } from '../../util/atomic-file.ts';
import { type Log, silentLog } from '../../util/log.ts';
import { createStoredReader, StoredProblem, storedText } from '../../util/stored-json.ts';
import { appendEvents, EVENT_FILE, mendEvents, readOwnEvents } from '../runs/event-file.ts';
import {
  ASSIGNMENT,
  type Assignment,
  REQUEST_RECORD,
  type RequestRecord,
  requestName,
} from './request-record.ts';

const GONE = '.gone';

export interface RequestStore {
  /** Makes the folder with its first event. False when the key is known already. */
  create(record: RequestRecord, first: Event): Promise<boolean>;
  /**
   * What is kept under a name; `gone` when only the fact that it was is kept, or what is kept is of a newer version, or
   * broken: its key is known, and nothing else.
   */
  read(name: string): Promise<RequestRecord | 'gone' | undefined>;
  /** Whether what became of it is still kept. */
  isKept(name: string): Promise<boolean>;
  list(): Promise<string[]>;
  /** `unusable`: it has a run, and nobody can say which. */
  assignment(name: string): Promise<Assignment | 'unusable' | undefined>;
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

export function openRequestStore(folder: string, { log = silentLog }: { log?: Log } = {}): RequestStore {
  const stored = createStoredReader(log);
  const at = (name: string, ...rest: string[]) => join(folder, name, ...rest);

  async function isGone(name: string): Promise<boolean> {
    return (await statOf(at(name + GONE))) !== undefined;
  }

  async function recordIn(name: string): Promise<RequestRecord | 'unusable' | undefined> {
    const path = at(name, 'request.json');
    const record = await stored.read(path, REQUEST_RECORD);
    if (typeof record !== 'object' || requestName(record.request) === name) return record;
    stored.complain(new StoredProblem(path, `it is the request "${requestName(record.request)}"`, {}));
    return 'unusable';
  }

  return {
    async create(record, first) {
      if (await isGone(record.name)) return false;
      const event: StoredEvent = { ...first, seq: 1, at: record.acceptedAt };
      try {
        await createFolderAtomic(at(record.name), {
          'request.json': storedText(record, REQUEST_RECORD),
          [EVENT_FILE]: `${JSON.stringify(event)}\n`,
        });
        return true;
      } catch (error) {
        if (['EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) return false;
        throw error;
      }
    },
    async read(name) {
      const record = await recordIn(name);
      if (record === undefined) return (await isGone(name)) ? 'gone' : undefined;
      return record === 'unusable' ? 'gone' : record;
    },
    isKept: async (name) => (await statOf(at(name, 'request.json'))) !== undefined,
    async list() {
      const names = await readdir(folder);
      return names.filter((name) => !name.startsWith('.')).map((name) => name.replace(/\.gone$/, ''));
    },
    assignment: (name) => stored.read(at(name, 'run.json'), ASSIGNMENT),
    assign: (name, assignment) => writeFileAtomic(at(name, 'run.json'), storedText(assignment, ASSIGNMENT)),
    unassign: (name) => rm(at(name, 'run.json'), { force: true }),
    ownEvents: (name, offset) => readOwnEvents(at(name, EVENT_FILE), offset),
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
