/** The checksum of a run's report, noted by the wrapper: Puppet's own format has none, and another letter is another outcome. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { openRegularFile, readRegularFile } from '../../util/regular-file.ts';
import { RUN_FILES } from '../runs/run-files.ts';

const MAX_BYTES = 4096;

/** Undefined if there was no report, or its checksum cannot be read. Never rejects. */
export async function notedSum(dir: string): Promise<string | undefined> {
  try {
    const { bytes } = await readRegularFile(join(dir, RUN_FILES.reportSum), MAX_BYTES, { follow: false });
    return /^([0-9a-f]{64}) [ *]-\n$/.exec(bytes.toString('latin1'))?.[1];
  } catch {
    return undefined;
  }
}

/** Anything fits if no checksum was noted. Never rejects. */
export async function fitsSum(path: string, sum: string | undefined): Promise<boolean> {
  if (sum === undefined) return true;
  try {
    const hash = createHash('sha256');
    await pipeline((await openRegularFile(path)).createReadStream(), hash);
    return hash.digest('hex') === sum;
  } catch {
    return false;
  }
}
