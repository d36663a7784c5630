/**
 * DESIGN 4: each accepted request is a folder, completed under another name and renamed: its appearance
 * *is* "accepted" and *is* "seen". It names the run that serves it, and its outcome is that run's.
 */
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Event, FinishedEvent, StoredEvent } from '../../protocol/event.ts';
import { createFolderAtomic } from '../../util/atomic-file.ts';
import { lstatIfAny } from '../../util/files.ts';
import { type Log, silentLog } from '../../util/log.ts';
import { leaveAlone, type Quarantine } from '../../util/quarantine.ts';
import { kindOf } from '../../util/regular-file.ts';
import { onceEach, readStored, StoredProblem, storedText } from '../../util/stored-json.ts';
import { EVENT_FILE, type EventChunk, eventLine } from '../runs/event-file.ts';
import { createEventFiles } from '../runs/event-files.ts';
import { type DamagedRequests, openDamagedRequests } from './damaged-requests.ts';
import { createMaking } from './making.ts';
import { createRequestKeys, type RequestKeys } from './request-keys.ts';
import { REQUEST_RECORD, type RequestRecord, requestName } from './request-record.ts';
import { createRequestRuns, type RequestRuns, WAITING } from './request-run.ts';

export interface RequestStore extends Omit<RequestKeys, 'isGone' | 'isKnown'>, Omit<RequestRuns, 'end'> {
  /** Creates the folder with its first event. Returns false if the key is known already. */
  create(record: RequestRecord, first: Event): Promise<boolean>;
  /** The request of a name; `gone` if it was pruned, and only its key is known; `damaged` if its record cannot be read. */
  read(name: string): Promise<RequestRecord | 'gone' | 'damaged' | undefined>;
  /** How a request whose record cannot be read is reported to have ended; undefined if it can be read. */
  damagedEnd(name: string): Promise<FinishedEvent | undefined>;
  /** Its record counts as damaged until the next start. */
  giveUp(name: string, why: string): void;
  /** Whether more than its key is kept. */
  isKept(name: string): Promise<boolean>;
  /** None from a file that cannot be read: it is set aside. `bytes`, `last`: as of readOwnEvents. */
  ownEvents(
    name: string,
    offset?: number,
    bytes?: number,
    last?: number,
  ): Promise<EventChunk & { events: StoredEvent[] }>;
  appendOwn(name: string, events: readonly StoredEvent[]): Promise<void>;
  /** Never rejects. */
  setEventsAside(name: string, why: string): Promise<void>;
  /** Cuts off a half written last event; returns whether there was one. */
  mend(name: string): Promise<boolean>;
}

export interface RequestStoreOptions {
  log?: Log;
  /** Defaults to none: what is damaged stays where it is. */
  quarantine?: Quarantine;
  clock?: { now(): number };
  /** The record of a request that waits or runs: whatever happens to its files, it is not set aside meanwhile. */
  inMemory?(name: string): RequestRecord | undefined;
  /** What the other files of a request say of how it ended. */
  leftOf?(name: string): Promise<string | undefined>;
}

export function openRequestStore(folder: string, options: RequestStoreOptions = {}): RequestStore {
  const { log = silentLog, quarantine = leaveAlone, clock = Date } = options;
  const { inMemory = () => undefined, leftOf = async () => undefined } = options;
  const once = onceEach(log);
  const damaged = openDamagedRequests({ folder, quarantine, log, clock, leftOf });
  const files = createEventFiles({ quarantine, once });
  const { isGone, isKnown, ...keys } = createRequestKeys(folder, once);
  const { end, ...runs } = createRequestRuns({ folder, quarantine, once });
  const making = createMaking();
  const eventsOf = (name: string) => join(folder, name, EVENT_FILE);

  return {
    ...keys,
    ...runs,
    async forget(name) {
      await keys.forget(name);
      damaged.forget(name);
    },
    create: (record, first) =>
      making.make(
        record.name,
        async () => !(await isKnown(record.name)) && createRequest(join(folder, record.name), record, first),
      ),
    async read(name) {
      // One that is being stored, on a slow disk, is as good as there: it may not be refused meanwhile.
      await making.made(name);
      // A tombstone wins over what a kill may have left of the folder.
      if (await isGone(name)) return 'gone';
      if ((await damaged.endOf(name)) !== undefined) return 'damaged';
      return readFolder(folder, name, { damaged, inMemory });
    },
    damagedEnd: damaged.endOf,
    giveUp: damaged.addForNow,
    isKept: async (name) => (await lstatIfAny(join(folder, name, 'request.json'))) !== undefined,
    ownEvents: (name, ...place) => files.readOwn(eventsOf(name), ...place),
    async appendOwn(name, events) {
      await files.append(eventsOf(name), events);
      if (events.some(({ type }) => type === 'finished')) await end(name);
    },
    async setEventsAside(name, why) {
      await quarantine.setAside(eventsOf(name), why);
    },
    mend: (name) => files.mend(eventsOf(name), { hasEvents: true }),
  };
}

async function readFolder(
  folder: string,
  name: string,
  { damaged, inMemory }: { damaged: DamagedRequests; inMemory(name: string): RequestRecord | undefined },
): Promise<RequestRecord | 'damaged' | undefined> {
  const found = await lstatIfAny(join(folder, name));
  if (found === undefined) return undefined;
  const known = inMemory(name);
  if (known !== undefined) return known;
  if (!found.isDirectory()) {
    await damaged.add(name, `its folder is ${kindOf(found)}`);
    return 'damaged';
  }
  try {
    return await recordIn(join(folder, name, 'request.json'), name);
  } catch (error) {
    if (!(error instanceof StoredProblem)) throw error;
    const why = `request.json: ${error.why}`;
    if (error.isNewer) damaged.addForNow(name, why);
    else await damaged.add(name, why);
    return 'damaged';
  }
}

/** Throws `StoredProblem`, also if there is none. */
async function recordIn(path: string, name: string): Promise<RequestRecord> {
  const record = await readStored(path, REQUEST_RECORD);
  if (record === undefined) throw new StoredProblem(path, 'it is missing', {});
  if (requestName(record.request) === name) return record;
  throw new StoredProblem(path, `it is the request "${requestName(record.request)}"`, {});
}

async function createRequest(folder: string, record: RequestRecord, first: Event): Promise<boolean> {
  const event: StoredEvent = { ...first, seq: 1, at: record.acceptedAt };
  try {
    await createFolderAtomic(folder, {
      'request.json': storedText({ ...record, marked: true }, REQUEST_RECORD),
      [EVENT_FILE]: eventLine(event),
      [WAITING]: '',
    });
    return true;
  } catch (error) {
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR'].includes(systemCode(error) ?? '')) return false;
    // It has appeared, and only a power cut could undo that: the next agent would run it.
    if ((await lstatIfAny(join(folder, 'request.json'))) !== undefined) return true;
    throw error;
  }
}
