/** PATH for programs that run as root: without folders in which others could put a program. */
import { delimiter, isAbsolute } from 'node:path';
import { KickError } from '../errors.ts';
import { trustedPath } from './trusted-path.ts';

/** systemd's, and the folder of Puppet's packages. */
const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/puppetlabs/bin';

export interface SearchPath {
  path: string;
  /** Why folders are not in it. */
  leftOut: KickError[];
}

/** Leaves out what others can change, and what is not absolute. Defaults to systemd's PATH and the folder of Puppet's packages. */
export function trustedSearchPath(path: string = SYSTEM_PATH): SearchPath {
  const leftOut: KickError[] = [];
  const kept = path.split(delimiter).filter((folder) => {
    if (!isAbsolute(folder)) return false;
    try {
      trustedPath(folder, { doing: `keep "${folder}" in PATH` });
      return true;
    } catch (error) {
      if (error instanceof KickError) leftOut.push(error);
      return false;
    }
  });
  return { path: kept.join(delimiter), leftOut };
}

/** The default, less what others can change. */
export function systemPath(): string {
  return trustedSearchPath().path;
}
