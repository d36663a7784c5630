/** Files and folders that appear whole or not at all, and survive a power cut. */
import { randomBytes } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemCode } from '../errors.ts';

export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function writeAndSync(handle: FileHandle, data: string | Uint8Array, mode?: number): Promise<void> {
  try {
    if (mode !== undefined) await handle.chmod(mode); // regardless of the umask
    await handle.writeFile(data);
    // Of an empty file only the name matters, which is its folder's.
    if (data.length > 0) await handle.sync();
  } finally {
    await handle.close();
  }
}

const TEMPORARY = '.tmp-';

/** A name in the same folder that readers ignore: it starts with `.tmp-`. */
export function temporaryName(path: string): string {
  return join(dirname(path), `${TEMPORARY}${basename(path)}-${randomBytes(6).toString('hex')}`);
}

/** Removes a folder at once: it is renamed first, so that a kill never leaves a part of it in its place. */
export async function removeFolderAtomic(path: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await rename(path, temporary);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  await rm(temporary, { recursive: true, force: true });
}

/**
 * Removes what a kill has left of files and folders in the making, or half removed. Only while nobody makes any, or those
 * that have not changed since `before` (milliseconds since 1970).
 */
export async function sweepTemporary(folder: string, { before = Infinity } = {}): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith(TEMPORARY)) continue;
    const path = join(folder, name);
    const changed = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (changed !== undefined && changed < before) await rm(path, { recursive: true, force: true });
  }
}

/** Replaces a file atomically; `mode` is exact and defaults to 0600. The folder must exist. */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode = 0o600 }: { mode?: number } = {},
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeAndSync(await open(temporary, 'wx', mode), data, mode);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/**
 * Creates a folder with all its files under another name and renames it, so that it appears complete.
 * Fails with ENOTEMPTY or EEXIST if it exists already.
 */
export async function createFolderAtomic(
  path: string,
  files: Record<string, string | Uint8Array>,
): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await mkdir(temporary, { mode: 0o700 });
    for (const [name, data] of Object.entries(files)) {
      await writeAndSync(await open(join(temporary, name), 'wx', 0o600), data);
    }
    await syncFolder(temporary);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}
