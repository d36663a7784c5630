/** Whether files exist. */
import { constants, type Stats } from 'node:fs';
import { access, lstat } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

/** What is at a path, whatever it is; undefined if nothing is. Throws the system's error. */
export async function lstatIfAny(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Whether a path without a file is a broken link: to a file that was moved, or is not mounted. */
export async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}
