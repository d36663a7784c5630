/** Which `puppet` we run. It runs as root, so nobody else may have had a hand in it. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { KickError } from '../errors.ts';
import { whoElseCanWrite } from '../util/trusted-path.ts';

/** Where the packages of Puppet and OpenVox put it; Debian's is in PATH. */
const PACKAGED = '/opt/puppetlabs/bin/puppet';

/**
 * The absolute path of `puppet`: `explicit` if given, else the packages', else the first in `path`
 * (as in the variable PATH). Throws `KickError` `puppet` when there is none, or when it or a folder
 * above it can be written by others.
 */
export function findPuppet({ explicit, path }: { explicit?: string | undefined; path: string }): string {
  const found = explicit ?? [PACKAGED, ...inPath(path)].find(isExecutable);
  if (found === undefined) {
    throw new KickError('puppet', 'find puppet: not in /opt/puppetlabs/bin and not in PATH', {
      hint: 'install puppet-agent or openvox-agent, or say where it is with --puppet',
    });
  }
  if (!isAbsolute(found)) {
    throw new KickError('puppet', `use puppet: "${found}" is not an absolute path`);
  }
  if (!isExecutable(found)) {
    throw new KickError('puppet', `use puppet: "${found}" is missing or not executable`);
  }
  const complaint = whoElseCanWrite(found);
  if (complaint !== undefined) {
    throw new KickError('puppet', `use puppet at "${found}": ${complaint}`, {
      hint: 'kick runs it as root: only root may be able to change it',
    });
  }
  return found;
}

function inPath(path: string): string[] {
  return path
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, 'puppet'));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
