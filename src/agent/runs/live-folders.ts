/** The folders of runs in progress, and what the runs themselves leave in them. */
import { constants } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../errors.ts';
import { isUuid } from '../../protocol/names.ts';
import { lstatIfAny } from '../../util/files.ts';
import type { ProcessId } from '../../util/proc.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import { kindOf, openOwnFile } from '../../util/regular-file.ts';
import type { OnceEach } from '../../util/stored-json.ts';
import { RUN_FILES } from './run-files.ts';
import { readWrapperFiles, type WrapperFiles } from './wrapper-files.ts';

export interface LiveFolders {
  liveDir(run: string): string;
  listLive(): Promise<string[]>;
  /** Whether its folder exists: somebody may have emptied the volatile directory. */
  isLive(run: string): Promise<boolean>;
  /** `inner`: as in its record. */
  wrapperFiles(run: string, inner?: ProcessId): Promise<WrapperFiles>;
  /** Gives back the space of what a run has printed, once that has been read. Never rejects. */
  freeOutput(run: string): Promise<void>;
  /** Removes its folder, or sets aside what cannot be removed. Never rejects. */
  discard(run: string): Promise<void>;
  /** Sets aside what is no file although it should be one. */
  removeStrangers(run: string): Promise<void>;
  /** Sets aside what cannot be read of the wrapper's files. */
  removeDamaged(run: string): Promise<void>;
}

/** `live`: the folder of runs in progress. */
export function createLiveFolders(
  live: string,
  { quarantine, once }: { quarantine: Quarantine; once: OnceEach },
): LiveFolders {
  const liveDir = (run: string) => join(live, run);
  return {
    liveDir,
    async listLive() {
      const runs: string[] = [];
      for (const name of (await readdir(live)).filter(isUuid)) {
        const found = await lstatIfAny(liveDir(name));
        if (found?.isDirectory() === true) runs.push(name);
        else if (found !== undefined) await quarantine.setAside(liveDir(name), `it is ${kindOf(found)}`);
      }
      return runs;
    },
    isLive: async (run) => (await lstatIfAny(liveDir(run)))?.isDirectory() === true,
    async wrapperFiles(run, inner) {
      const found = await readWrapperFiles(liveDir(run), inner);
      for (const name of found.damaged) once(join(liveDir(run), name), 'it cannot be read', 'damaged');
      return found;
    },
    freeOutput: (run) => empty(join(liveDir(run), RUN_FILES.output)).catch(() => {}),
    async discard(run) {
      try {
        await rm(liveDir(run), { recursive: true, force: true });
      } catch (error) {
        await quarantine.setAside(liveDir(run), `it cannot be removed: ${messageOf(error)}`);
      }
    },
    async removeStrangers(run) {
      for (const name of Object.values(RUN_FILES)) {
        const found = await lstatIfAny(join(liveDir(run), name));
        if (found !== undefined && !found.isFile())
          await quarantine.setAside(join(liveDir(run), name), `it is ${kindOf(found)}`);
      }
    },
    async removeDamaged(run) {
      for (const name of (await readWrapperFiles(liveDir(run))).damaged)
        await quarantine.setAside(join(liveDir(run), name), 'it cannot be read');
    },
  };
}

async function empty(path: string): Promise<void> {
  const handle = await openOwnFile(path, constants.O_WRONLY);
  try {
    await handle.truncate(0);
  } finally {
    await handle.close();
  }
}
