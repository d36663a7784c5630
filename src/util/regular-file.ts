/** Reads files that may be anything: whatever is there, it neither blocks nor fills the memory. */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, stat } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

/** The path is not a regular file; `what`: `a directory`, `a named pipe`, … */
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

export interface OpenOptions {
  /** Follows a link, as for the files of others; defaults to true. */
  follow?: boolean;
  /** Open flags; defaults to reading. */
  flags?: number;
}

const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW, O_CREAT } = constants;

/**
 * Opens a file; a new one gets the mode 0600. Throws `NotAFile` if it is something else (a pipe may never have a writer),
 * and the system's error if it cannot be opened.
 */
export async function openRegularFile(
  path: string,
  { follow = true, flags = O_RDONLY }: OpenOptions = {},
): Promise<FileHandle> {
  // Checked before it is opened: opening a device may have side effects.
  const found = await (follow ? stat : lstat)(path).catch((error: unknown) => {
    if ((flags & O_CREAT) !== 0 && systemCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (found !== undefined) refuseOthers(found);
  const handle = await open(path, flags | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW), 0o600);
  try {
    refuseOthers(await handle.stat());
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The same for a file of our own, which is never a link. */
export function openOwnFile(path: string, flags = O_RDONLY): Promise<FileHandle> {
  return openRegularFile(path, { follow: false, flags });
}

/** Reads the first `maxBytes` of a file. Throws like `openRegularFile`, and the system's error if it cannot be read. */
export async function readRegularFile(
  path: string,
  maxBytes: number,
  options: Pick<OpenOptions, 'follow'> = {},
): Promise<RegularFile> {
  const handle = await openRegularFile(path, options);
  try {
    const { mtimeMs } = await handle.stat();
    return { bytes: await readFrom(handle, 0, maxBytes), mtimeMs };
  } finally {
    await handle.close();
  }
}

/** Reads `length` bytes from byte `from` on, or fewer at the end of the file. */
export async function readFrom(handle: FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(Math.max(0, length));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Opens a file of our own at once; a new one gets the mode 0600. Throws `NotAFile` or the system's error. */
export function openOwnFileSync(path: string, flags = O_RDONLY): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined) refuseOthers(found);
  const descriptor = openSync(path, flags | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW, 0o600);
  try {
    refuseOthers(fstatSync(descriptor));
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** The text of a file of our own; undefined if there is none, if it cannot be read, or is longer than `maxBytes`. */
export function readTextSync(path: string, maxBytes: number): string | undefined {
  let descriptor: number | undefined;
  try {
    descriptor = openOwnFileSync(path);
    return fstatSync(descriptor).size > maxBytes ? undefined : readFileSync(descriptor, 'utf8');
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Errors by which the system says that a path cannot be read as a file, rather than that it is busy. */
const UNUSABLE: readonly string[] = ['ELOOP', 'EISDIR', 'ENXIO', 'ENOTDIR', 'ENODEV', 'EACCES', 'EPERM'];

/** Whether an error says that what is there cannot be used as a file: nothing that passes by itself. */
export function isUnusable(error: unknown): boolean {
  return error instanceof NotAFile || UNUSABLE.includes(systemCode(error) ?? '');
}

/** Throws `NotAFile`. */
export function refuseOthers(stat: Stats): void {
  if (!stat.isFile()) throw new NotAFile(kindOf(stat));
}

/** `a directory`, `a named pipe`, … */
export function kindOf(stat: Stats): string {
  if (stat.isFile()) return 'a file';
  if (stat.isDirectory()) return 'a directory';
  if (stat.isSymbolicLink()) return 'a symbolic link';
  if (stat.isFIFO()) return 'a named pipe';
  if (stat.isSocket()) return 'a socket';
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'a device' : 'not a file';
}
