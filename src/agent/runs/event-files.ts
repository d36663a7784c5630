/** The files of events in folders of requests and runs: one that cannot be used is set aside, and counts as missing. */

import { messageOf } from '../../errors.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { isUnusable } from '../../util/regular-file.ts';
import type { OnceEach } from '../../util/stored-json.ts';
import {
  appendEvents,
  type EventChunk,
  type KeptEvent,
  mendEvents,
  readEvents,
  readOwnEvents,
} from './event-file.ts';

/** As in event-file.ts; only errors that may pass are thrown. */
export interface EventFiles {
  read(path: string, offset?: number, bytes?: number): Promise<EventChunk>;
  readOwn(...place: Parameters<typeof readOwnEvents>): ReturnType<typeof readOwnEvents>;
  append(path: string, events: readonly KeptEvent[]): Promise<void>;
  mend(path: string, options?: { hasEvents?: boolean }): Promise<boolean>;
}

export function createEventFiles({
  quarantine,
  once,
}: {
  quarantine: Quarantine;
  once: OnceEach;
}): EventFiles {
  async function usable<T>(
    path: string,
    work: () => Promise<T>,
    otherwise: () => T | Promise<T>,
  ): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!isUnusable(error)) throw error;
      await quarantine.setAside(path, messageOf(error));
      return otherwise();
    }
  }

  function noting<C extends EventChunk>(path: string, chunk: C): C {
    if (chunk.bad > 0) once(path, `${chunk.bad} lines are no events`, 'damaged lines are passed over');
    return chunk;
  }

  const none = () => ({ events: [], offset: 0, bad: 0 });
  return {
    read: (path, ...place) => usable(path, async () => noting(path, await readEvents(path, ...place)), none),
    readOwn: (path, ...place) =>
      usable(path, async () => noting(path, await readOwnEvents(path, ...place)), none),
    append: (path, events) =>
      usable(
        path,
        () => appendEvents(path, events),
        () => appendEvents(path, events),
      ),
    mend: (path, options) =>
      usable(
        path,
        () => mendEvents(path, options),
        () => false,
      ),
  };
}
