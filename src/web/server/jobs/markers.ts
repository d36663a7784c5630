/**
 * A file for each job that this server runs. It is empty but for a job that waits for its lock, which nothing else
 * remembers: that one's says what the job is.
 */
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { JOB_FILE } from '../../../controller/jobs/job-file.ts';
import type { Plan } from '../../../controller/plan-job.ts';
import { messageOf } from '../../../errors.ts';
import { isUuid } from '../../../protocol/names.ts';
import { writeFileAtomic } from '../../../util/atomic-file.ts';
import { count, longText, time } from '../../../util/bounds.ts';
import { lstatIfAny } from '../../../util/files.ts';
import type { Log } from '../../../util/log.ts';
import { bootId, identify, isAlive } from '../../../util/proc.ts';
import { readStored, storedText } from '../../../util/stored-json.ts';

const WaitingSchema = v.object({
  plan: v.object({ job: JOB_FILE.schema.entries.job, settings: JOB_FILE.schema.entries.settings }),
  /** Its lock, and until when it waits for it. */
  lock: longText,
  until: time,
  /** The process that waits. */
  server: v.object({ pid: count, start: longText, boot: longText }),
});

const WAITING = { schema: WaitingSchema, version: 1, maxBytes: JOB_FILE.maxBytes };

export interface Waiting {
  plan: Plan;
  lock: string;
  until: number;
}

/** Whether the process that waits is still there. */
export type FoundWaiting = Waiting & { isAlive: boolean };

export interface Markers {
  /** Never throws: a full disk must not keep hosts from running. */
  add(id: string, waiting?: Waiting): Promise<void>;
  /** Never throws either. */
  remove(id: string): Promise<void>;
  list(): Promise<string[]>;
  /** What waits for its lock; undefined for one that had begun. Throws if that cannot be read, `StoredProblem` for what stays so. */
  waiting(id: string): Promise<FoundWaiting | undefined>;
}

export function openMarkers(dir: string, log: Log): Markers {
  const pathOf = (id: string) => join(dir, id);
  return {
    async add(id, waiting) {
      try {
        await mkdir(dir, { recursive: true, mode: 0o700 });
        await writeFileAtomic(pathOf(id), waiting === undefined ? '' : textOf(waiting));
      } catch (error) {
        const reason = messageOf(error);
        log.warn({ job: id, reason }, 'a server that is killed will not go on with this job');
      }
    },
    async remove(id) {
      try {
        await rm(pathOf(id), { force: true });
      } catch (error) {
        log.warn({ job: id, reason: messageOf(error) }, 'the next server looks at this job again');
      }
    },
    list: async () => (await readdir(dir).catch(() => [])).filter(isUuid),
    async waiting(id) {
      const isEmpty = (await lstatIfAny(pathOf(id)))?.size === 0;
      const found = isEmpty ? undefined : await readStored(pathOf(id), WAITING);
      if (found === undefined) return undefined;
      const { server, ...waiting } = found;
      return { ...waiting, isAlive: server.boot === bootId() && isAlive(server) };
    },
  };
}

function textOf(waiting: Waiting): string {
  const server = { pid: process.pid, start: identify(process.pid)?.start ?? '', boot: bootId() };
  return storedText({ ...waiting, server }, WAITING);
}
