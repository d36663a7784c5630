/** An empty file for each job that this server runs. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../errors.ts';
import { isUuid } from '../../../protocol/names.ts';
import type { Log } from '../../../util/log.ts';

export interface Markers {
  /** Never throws: a full disk must not keep hosts from running. */
  add(id: string): Promise<void>;
  remove(id: string): Promise<void>;
  list(): Promise<string[]>;
}

export function openMarkers(dir: string, log: Log): Markers {
  return {
    async add(id) {
      try {
        await mkdir(dir, { recursive: true, mode: 0o700 });
        await writeFile(join(dir, id), '', { mode: 0o600 });
      } catch (error) {
        const reason = messageOf(error);
        log.warn({ job: id, reason }, 'a server that is killed will not go on with this job');
      }
    },
    remove: (id) => rm(join(dir, id), { force: true }),
    list: async () => (await readdir(dir).catch(() => [])).filter(isUuid),
  };
}
