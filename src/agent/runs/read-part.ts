/** Reads part of a file that may still be growing, or may not exist yet. */
import type { FileHandle } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';
import { isUnusable, openOwnFile, readFrom } from '../../util/regular-file.ts';

/** Nothing if there is no file, or something else in its place. */
export async function readAt(
  path: string,
  offset: number,
  length: number,
): Promise<{ bytes: Buffer; size: number }> {
  let handle: FileHandle;
  try {
    handle = await openOwnFile(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || isUnusable(error)) return { bytes: Buffer.alloc(0), size: 0 };
    throw error;
  }
  try {
    const { size } = await handle.stat();
    return { bytes: await readFrom(handle, offset, Math.min(length, size - offset)), size };
  } finally {
    await handle.close();
  }
}

export async function sizeOf(path: string): Promise<number> {
  return (await readAt(path, 0, 0)).size;
}
