/** A part of a file that may still grow, or that is not there yet. */
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../../errors.ts';

export async function readAt(
  path: string,
  offset: number,
  length: number,
): Promise<{ bytes: Buffer; size: number }> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { bytes: Buffer.alloc(0), size: 0 };
    throw error;
  }
  try {
    const { size } = await handle.stat();
    const buffer = Buffer.alloc(Math.min(length, Math.max(0, size - offset)));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
    return { bytes: buffer.subarray(0, bytesRead), size };
  } finally {
    await handle.close();
  }
}

export async function sizeOf(path: string): Promise<number> {
  return (await readAt(path, 0, 0)).size;
}
