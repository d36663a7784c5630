/**
 * DESIGN 8, "What is kept": files and folders that cannot be used are moved out of the way, for people to look at. What is kept of
 * them is limited by number, bytes and age.
 */
import { randomBytes } from 'node:crypto';
import { lstat, mkdir, readdir, rename, rm, truncate } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { messageOf, systemCode } from '../errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { folderBytes, spaceOf } from './disk-space.ts';
import { lstatIfAny } from './files.ts';
import type { Log } from './log.ts';
import { isoTime } from './times.ts';

export interface QuarantineLimits {
  /** Files and folders. */
  entries: number;
  /** On the disk, of all. */
  bytes: number;
  /** Of a single file; longer ones are cut. */
  fileBytes: number;
}

export interface QuarantineOptions {
  /** What is set aside is below it, and on the same file system, so that a move needs no space. */
  root: string;
  limits: QuarantineLimits;
  clock: { now(): number };
  log: Log;
}

export interface Quarantine {
  /**
   * Moves a file or a folder into the quarantine, whatever it is, and logs it; a link itself, not what it leads to. Returns
   * false if it cannot be moved, or is not there. Never rejects.
   */
  setAside(path: string, why: string): Promise<boolean>;
  /** Replaces a file atomically; a folder in its place is set aside. Throws the system's error. */
  replace(path: string, data: string): Promise<void>;
  /** Removes what was set aside before a time (milliseconds since 1970). Never rejects. */
  prune(before: number): Promise<void>;
}

/** Leaves everything where it is. */
export const leaveAlone: Quarantine = {
  setAside: async () => false,
  replace: (path, data) => writeFileAtomic(path, data),
  async prune() {},
};

/** The folder in `root`. */
export const quarantineOf = (root: string) => join(root, 'quarantine');

export function openQuarantine({ root, limits, clock, log }: QuarantineOptions): Quarantine {
  const folder = quarantineOf(root);
  const tidy = tidied(folder, { limits, log });

  async function setAside(path: string, why: string): Promise<boolean> {
    try {
      if ((await lstatIfAny(path)) === undefined) return false;
      await prepare(folder);
      const name = `${stampOf(clock.now())}.${relative(root, path).replaceAll('/', '.')}`;
      const aside = join(folder, name);
      await rename(path, aside);
      log.error({ path, aside, reason: why }, 'cannot be used, and is set aside');
      await tidy.add(name);
      return true;
    } catch (error) {
      log.error({ path, reason: why, error: messageOf(error) }, 'cannot be used, and cannot be set aside');
      return false;
    }
  }

  return {
    setAside,
    async replace(path, data) {
      try {
        await writeFileAtomic(path, data);
      } catch (error) {
        if (!['EISDIR', 'ENOTDIR', 'EEXIST', 'ENOTEMPTY'].includes(systemCode(error) ?? '')) throw error;
        if (!(await setAside(path, 'a folder is in the place of a file'))) throw error;
        await writeFileAtomic(path, data);
      }
    },
    async prune(before) {
      const old = (await entriesIn(folder)).filter((name) => name < stampOf(before));
      for (const name of old) await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
      tidy.lookAgain();
    },
  };
}

/** Keeps a quarantine within its limits. What cannot be removed or cut stays: it is out of the way. */
function tidied(folder: string, { limits, log }: Pick<QuarantineOptions, 'limits' | 'log'>) {
  /** The bytes of what is in it, the oldest first; undefined until they are needed. */
  let sizes: Map<string, number> | undefined;

  async function keepWithin(added: string): Promise<void> {
    sizes ??= await sizesIn(folder);
    sizes.set(added, await bytesOf(join(folder, added)));
    let total = [...sizes.values()].reduce((sum, bytes) => sum + bytes, 0);
    for (const [name, bytes] of sizes) {
      if (sizes.size <= limits.entries && total <= limits.bytes) break;
      // What cannot be removed is not counted again, so that it keeps none of the others.
      await rm(join(folder, name), { recursive: true, force: true }).catch(() => {});
      sizes.delete(name);
      total -= bytes;
    }
  }

  return {
    lookAgain() {
      sizes = undefined;
    },
    /** Never rejects. */
    async add(name: string): Promise<void> {
      try {
        await shorten(join(folder, name), limits.fileBytes);
        await keepWithin(name);
      } catch (error) {
        log.warn({ path: folder, error: messageOf(error) }, 'cannot limit what is set aside');
      }
    },
  };
}

/** Names of what is in a quarantine, the latest first, without their times. */
export async function quarantined(root: string): Promise<string[]> {
  const names = await entriesIn(quarantineOf(root));
  return names.reverse().map((name) => name.slice(name.indexOf('.') + 1));
}

/** Throws if there is something else in the folder's place. */
async function prepare(folder: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 }).catch(() => {});
  if (!(await lstat(folder)).isDirectory()) throw new Error(`"${folder}" is not a folder`);
}

/** `20261125T180000123Z-1f0c`: names sort by time, and no two are equal. */
function stampOf(ms: number): string {
  const time = isoTime(ms).replaceAll(/[-:.]/g, '');
  return `${time}-${randomBytes(2).toString('hex')}`;
}

const STAMPED = /^\d{8}T\d{9}Z-[0-9a-f]{4}\./;

/** Oldest first; only what we have named. */
async function entriesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  return names.filter((name) => STAMPED.test(name)).sort();
}

/** A file that is also in another place stays as it is. */
async function shorten(path: string, maxBytes: number): Promise<void> {
  const found = await lstat(path);
  if (found.isFile() && found.nlink === 1 && found.size > maxBytes) await truncate(path, maxBytes);
  if (!found.isDirectory()) return;
  for (const name of await readdir(path)) {
    const inside = await lstat(join(path, name));
    if (inside.isFile() && inside.nlink === 1 && inside.size > maxBytes)
      await truncate(join(path, name), maxBytes);
  }
}

async function sizesIn(folder: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>();
  for (const name of await entriesIn(folder)) sizes.set(name, await bytesOf(join(folder, name)));
  return sizes;
}

async function bytesOf(path: string): Promise<number> {
  const found = await lstat(path);
  return found.isDirectory() ? folderBytes(path) : spaceOf(found);
}
