/** Finds `puppet`. It runs as root, so nobody else may be able to change it. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { KickError } from '../errors.ts';
import { trustedProgram } from '../util/trusted-program.ts';

/** Where the packages of Puppet and OpenVox install it; Debian's is in PATH. */
const PACKAGED = '/opt/puppetlabs/bin/puppet';

export interface PuppetSearch {
  explicit?: string | undefined;
  /** Where to look for it, like the variable PATH. */
  path: string;
  /** PATH as it will have; defaults to systemd's. */
  searchPath?: string | undefined;
}

/**
 * Returns the absolute path of the `puppet` to execute: `explicit` if given, else the packages', else the first in
 * `path`. Throws `KickError` `puppet` if there is none, and `untrusted` if others can change it, its
 * interpreter or the way to them.
 */
export function findPuppet({ explicit, path, searchPath }: PuppetSearch): string {
  const found = explicit ?? [PACKAGED, ...inPath(path)].find(isExecutable);
  if (found === undefined) {
    throw new KickError('puppet', 'find puppet: not in /opt/puppetlabs/bin and not in PATH', {
      hint: 'install puppet-agent or openvox-agent, or set its path with --puppet',
    });
  }
  if (!isAbsolute(found)) {
    throw new KickError('puppet', `use puppet: "${found}" is not an absolute path`);
  }
  if (!isExecutable(found)) {
    throw new KickError('puppet', `use puppet: "${found}" is missing or not executable`);
  }
  return trustedProgram(found, { doing: `use puppet at "${found}"`, searchPath });
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
