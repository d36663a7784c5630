/** DESIGN 4: each run is a folder, on a tmpfs while it lasts and in the state directory afterwards. */
import { join } from 'node:path';
import type { FinishedEvent } from '../../protocol/event.ts';
import { lstatIfAny } from '../../util/files.ts';
import { type Log, silentLog } from '../../util/log.ts';
import { leaveAlone, type Quarantine } from '../../util/quarantine.ts';
import { onceEach } from '../../util/stored-json.ts';
import { allEvents } from './all-events.ts';
import { EVENT_FILE, type EventChunk, type KeptEvent } from './event-file.ts';
import { createEventFiles } from './event-files.ts';
import { createLiveFiles, type LiveFiles } from './live-files.ts';
import { createLiveFolders, type LiveFolders } from './live-folders.ts';
import { settleFolder } from './settle-folder.ts';

export interface RunStore extends LiveFiles, Omit<LiveFolders, 'removeStrangers' | 'removeDamaged'> {
  /** None from a file that cannot be read: it is set aside. `bytes`: as of readEvents. */
  events(run: string, offset?: number, bytes?: number): Promise<EventChunk>;
  append(run: string, events: readonly KeptEvent[]): Promise<void>;
  /** Cuts off a half written event, and sets aside what is no file. */
  mend(run: string): Promise<void>;
  /** Makes the end durable: the folder with its last event appears in the state directory. */
  settle(run: string, last: FinishedEvent & KeptEvent): Promise<void>;
  /** Whether anything is in its place in the state directory. */
  isSettled(run: string): Promise<boolean>;
  /** The last event of a run that is over, and how many events it has; undefined if none can be read. */
  endOf(run: string): Promise<{ last: FinishedEvent & KeptEvent; count: number } | undefined>;
  /** Sets aside what is left of a run in progress that nobody follows, or of one that is over. Never rejects. */
  setAside(run: string, why: string): Promise<void>;
}

export interface RunStoreOptions {
  log?: Log;
  /** For the folders of runs in progress, and of those that are over; default to none. */
  quarantines?: { live: Quarantine; settled: Quarantine };
}

/** One of another run is none: what is lost of this one counts as dropped. */
function ofRun(run: string, event: KeptEvent): KeptEvent {
  if (!('run' in event) || event.run === undefined || event.run === run) return event;
  return { type: 'dropped', at: event.at, bytes: 0 };
}

export function openRunStore(
  live: string,
  settled: string,
  { log = silentLog, quarantines = { live: leaveAlone, settled: leaveAlone } }: RunStoreOptions = {},
): RunStore {
  const once = onceEach(log);
  const liveEvents = createEventFiles({ quarantine: quarantines.live, once });
  const settledEvents = createEventFiles({ quarantine: quarantines.settled, once });
  const { removeStrangers, removeDamaged, ...folders } = createLiveFolders(live, {
    quarantine: quarantines.live,
    once,
  });
  const settledDir = (run: string) => join(settled, run);
  const liveFile = (run: string) => join(live, run, EVENT_FILE);
  const isSettled = async (run: string) => (await lstatIfAny(settledDir(run))) !== undefined;

  // The settled file starts with the same bytes as the live one, so offsets are valid for both.
  const events: RunStore['events'] = async (run, ...place) => {
    const found = (await isSettled(run))
      ? await settledEvents.read(join(settledDir(run), EVENT_FILE), ...place)
      : await liveEvents.read(liveFile(run), ...place);
    return { ...found, events: found.events.map((event) => ofRun(run, event)) };
  };

  async function endOf(run: string): ReturnType<RunStore['endOf']> {
    if (!(await isSettled(run))) return undefined;
    const all = await allEvents((offset) => events(run, offset));
    const index = all.findIndex(({ type }) => type === 'finished');
    const last = all[index];
    return last?.type === 'finished' ? { last, count: index + 1 } : undefined;
  }

  return {
    ...createLiveFiles(live, quarantines.live),
    ...folders,
    events,
    append: (run, more) => liveEvents.append(liveFile(run), more),
    async mend(run) {
      await liveEvents.mend(liveFile(run));
      await removeStrangers(run);
    },
    async settle(run, last) {
      await removeDamaged(run);
      // An earlier attempt has failed at its very end.
      if ((await endOf(run)) !== undefined) return folders.discard(run);
      await quarantines.settled.setAside(settledDir(run), 'it is in the place of a run');
      await settleFolder({ from: folders.liveDir(run), settled, run }, last);
      // Its end is on disk: what cannot be removed holds up nobody.
      await folders.discard(run);
    },
    isSettled,
    endOf,
    async setAside(run, why) {
      await quarantines.live.setAside(folders.liveDir(run), why);
      await quarantines.settled.setAside(settledDir(run), why);
    },
  };
}
