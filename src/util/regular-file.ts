/** Reading files that others have made: whatever stands there, it neither blocks nor fills the memory. */
import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';

/** Something stands there that is no file; `what`: `a directory`, `a named pipe`, … */
export class NotAFile extends Error {
  readonly what: string;

  constructor(what: string) {
    super(`it is ${what}`);
    this.what = what;
  }
}

export interface RegularFile {
  bytes: Buffer;
  /** Milliseconds since 1970. */
  mtimeMs: number;
}

/** Opens a file for reading; throws as `readRegularFile` does. */
export async function openRegularFile(path: string): Promise<FileHandle> {
  // Looked at before it is opened: to open a device may do something.
  refuseOthers(await stat(path));
  const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    refuseOthers(await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * The first `maxBytes` of a file; links are followed. Throws `NotAFile` for anything that is none (nobody may ever
 * write into a pipe), and the system's error for what cannot be opened or read.
 */
export async function readRegularFile(path: string, maxBytes: number): Promise<RegularFile> {
  const handle = await openRegularFile(path);
  try {
    const { mtimeMs } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxBytes), 0, maxBytes, 0);
    return { bytes: buffer.subarray(0, bytesRead), mtimeMs };
  } finally {
    await handle.close();
  }
}

function refuseOthers(stat: Stats): void {
  if (!stat.isFile()) throw new NotAFile(kindOf(stat));
}

function kindOf(stat: Stats): string {
  if (stat.isDirectory()) return 'a directory';
  if (stat.isFIFO()) return 'a named pipe';
  if (stat.isSocket()) return 'a socket';
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : 'not a file';
}
