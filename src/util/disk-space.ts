/** How much space files take, whatever they are. */
import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of a block in `Stats.blocks`. */
const BLOCK = 512;

/** Files of a folder that are looked at. */
const MAX_FILES = 1000;

/** A file with holes takes less than its size. */
export const spaceOf = ({ size, blocks }: Stats) => Math.min(size, blocks * BLOCK);

/** The bytes of the files in a folder, of those in folders inside it as well; links are not followed. Never rejects. */
export async function folderBytes(path: string): Promise<number> {
  let bytes = 0;
  const folders = [path];
  let seen = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of await readdir(folder).catch(() => [])) {
      seen += 1;
      if (seen > MAX_FILES) return bytes;
      // It may be removed meanwhile.
      const found = await lstat(join(folder, name)).catch(() => undefined);
      if (found?.isDirectory() === true) folders.push(join(folder, name));
      else if (found !== undefined) bytes += spaceOf(found);
    }
  }
  return bytes;
}
