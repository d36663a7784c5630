/** Files and folders that appear whole or not at all, and survive a power cut. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

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
    if (mode !== undefined) await handle.chmod(mode); // whatever the umask
    await handle.writeFile(data);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name beside `path` that no reader takes for the thing itself: it begins with `.tmp-`. */
export function temporaryName(path: string): string {
  return join(dirname(path), `.tmp-${basename(path)}-${randomBytes(6).toString('hex')}`);
}

/** Replaces a file at one stroke; `mode` is exact and defaults to 0600. The folder must exist. */
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
 * Makes a folder with all its files under another name and renames it: its appearance is the fact.
 * Fails with ENOTEMPTY or EEXIST when it is there already.
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
