/** Files of our own making that may or may not be there. */
import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { systemCode } from '../errors.ts';

export async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}

/** JSON that we wrote ourselves, whole (see atomic-file.ts); undefined when there is no such file. */
export async function readOwnJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as T;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
