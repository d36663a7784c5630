/** Which run serves a request: run.json in its folder names it, or a file `waiting` says that none does yet. */
import { constants } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { lstatIfAny } from '../../util/files.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { isUnusable, openOwnFile } from '../../util/regular-file.ts';
import { type OnceEach, readStored, StoredProblem, storedText } from '../../util/stored-json.ts';
import { ASSIGNMENT, type Assignment, REQUEST_RECORD } from './request-record.ts';

/**
 * An empty file that exists for as long as the request may be given a run. Once it is gone, a request without a run or an end
 * has lost one of its files, and never runs.
 */
export const WAITING = 'waiting';

export interface RequestRuns {
  /** `damaged`: the file that names its run cannot be read, or is missing. */
  assignment(name: string): Promise<Assignment | 'damaged' | undefined>;
  assign(name: string, assignment: Assignment): Promise<void>;
  /** `isOver`: it has its end, and is not to be given another run. */
  unassign(name: string, options: { isOver: boolean }): Promise<void>;
  /** It has its end, and is not to be given a run. Never rejects. */
  end(name: string): Promise<void>;
}

export interface RequestRunsOptions {
  /** The folder of requests. */
  folder: string;
  quarantine: Quarantine;
  once: OnceEach;
}

export function createRequestRuns({ folder, quarantine, once }: RequestRunsOptions): RequestRuns {
  const fileOf = (name: string) => join(folder, name, 'run.json');
  const markOf = (name: string) => join(folder, name, WAITING);

  async function runIn(name: string): ReturnType<RequestRuns['assignment']> {
    try {
      const found = await readStored(fileOf(name), ASSIGNMENT);
      if (found?.name === undefined || found.name === name) return found;
      throw new StoredProblem(fileOf(name), `it is of the request "${found.name}"`, {});
    } catch (error) {
      if (!(error instanceof StoredProblem)) throw error;
      // It stays where it is until the end of the request is on disk.
      once(fileOf(name), error.why, 'a stored file is damaged');
      return 'damaged';
    }
  }

  /** What counts is on disk already: a mark that cannot be removed holds up nothing. */
  const end = (name: string) =>
    rm(markOf(name), { recursive: true, force: true }).catch((error: unknown) =>
      once(markOf(name), messageOf(error), 'cannot remove the mark of a request that waits'),
    );

  return {
    async assignment(name) {
      // Twice: it may be given a run in between.
      for (let tries = 0; tries < 2; tries++) {
        const found = await runIn(name);
        if (found !== undefined || (await lstatIfAny(markOf(name))) !== undefined) return found;
      }
      const path = join(folder, name, 'request.json');
      const record = await readStored(path, REQUEST_RECORD).catch(() => undefined);
      return record?.marked === true ? 'damaged' : undefined;
    },
    async assign(name, given) {
      await quarantine.replace(fileOf(name), storedText({ ...given, name }, ASSIGNMENT));
      await end(name);
    },
    async unassign(name, { isOver }) {
      if (!isOver) await touch(markOf(name));
      if ((await runIn(name)) === 'damaged')
        await quarantine.setAside(fileOf(name), 'its run cannot be read');
      await rm(fileOf(name), { recursive: true, force: true });
    },
    end,
  };
}

/** Makes an empty file, unless anything is there. */
async function touch(path: string): Promise<void> {
  try {
    await (await openOwnFile(path, constants.O_WRONLY | constants.O_CREAT)).close();
  } catch (error) {
    if (!isUnusable(error)) throw error;
  }
}
