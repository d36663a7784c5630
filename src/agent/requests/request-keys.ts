/** The keys of requests, in the names of a folder: those that are kept, those that were pruned, those that are damaged. */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { removeFolderAtomic, sweepTemporary, syncFolder } from '../../util/atomic-file.ts';
import { duration, text } from '../../util/bounds.ts';
import { lstatIfAny } from '../../util/files.ts';
import { type OnceEach, readStored, type StoredFormat, storedText } from '../../util/stored-json.ts';
import { DAMAGED } from './damaged-requests.ts';
import { ageOfRecord, isRequestName, kernelTime } from './request-record.ts';

/** A file `NAME.gone` is all that is left of a request that was pruned. */
const GONE = '.gone';

/** The kernel's time, which nobody sets: a record's own, and of marks in the place of a record. Earlier versions left none in those. */
const KERNEL_TIME = {
  schema: v.object({ boot: v.optional(text(255)), uptime: v.optional(duration) }),
  version: 1,
} satisfies StoredFormat<v.GenericSchema>;

const keyIn = (entry: string) => entry.replace(/\.(gone|damaged)$/, '');

export interface RequestKeys {
  list(): Promise<string[]>;
  isGone(name: string): Promise<boolean>;
  /** Whether anything is known of it. */
  isKnown(name: string): Promise<boolean>;
  /** Removes everything but its key (DESIGN 5: a known key whose folder is gone). */
  retire(name: string): Promise<void>;
  /** Whether what is left of it is older than `ageMs` at `now`; within this boot by the kernel's clock. */
  isOlder(name: string, age: { ageMs: number; now: number }): Promise<boolean>;
  /** Removes it entirely, with its key. */
  forget(name: string): Promise<void>;
  /** Removes what a killed agent left half created or half removed; call it before anything is accepted. */
  sweep(): Promise<void>;
}

export function createRequestKeys(folder: string, once: OnceEach): RequestKeys {
  const at = (...path: string[]) => join(folder, ...path);
  const isThere = async (name: string) => (await lstatIfAny(at(name))) !== undefined;
  return {
    async list() {
      return [...new Set((await readdir(folder)).map(keyIn).filter(isRequestName))];
    },
    isGone: (name) => isThere(name + GONE),
    isKnown: async (name) =>
      (await isThere(name)) || (await isThere(name + GONE)) || (await isThere(name + DAMAGED)),
    async retire(name) {
      if (!(await isThere(name + GONE))) {
        const mark = storedText(kernelTime(), KERNEL_TIME);
        await writeFile(at(name + GONE), mark, { mode: 0o600 }).catch(async (error: unknown) => {
          // On a full disk it has no content, and is one all the same.
          if (!(await isThere(name + GONE))) throw error;
        });
      }
      await syncFolder(folder);
      await removeFolderAtomic(at(name));
    },
    async isOlder(name, { ageMs, now }) {
      for (const path of [at(name, 'request.json'), at(name + GONE), at(name + DAMAGED)]) {
        const found = await lstatIfAny(path);
        if (found === undefined) continue;
        if (now - found.mtimeMs <= ageMs) return false;
        const kernel = await readStored(path, KERNEL_TIME).catch(() => undefined);
        return ageOfRecord({ acceptedAt: found.mtimeMs, ...kernel }, now) > ageMs;
      }
      return false;
    },
    async forget(name) {
      await removeFolderAtomic(at(name));
      for (const mark of [GONE, DAMAGED]) await rm(at(name + mark), { recursive: true, force: true });
    },
    async sweep() {
      await sweepTemporary(folder);
      const strange = (await readdir(folder)).filter((entry) => !isRequestName(keyIn(entry)));
      for (const entry of strange) once(at(entry), 'it is none of ours', 'an unknown file is left alone');
    },
  };
}
