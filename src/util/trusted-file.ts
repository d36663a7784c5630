/** Reads files that must not be somebody else's: what is open is judged once more, and read from the same descriptor. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { refuseOthers } from './regular-file.ts';
import { refuseUntrustedFile, systemError, type TrustOptions, trustedPath } from './trusted-path.ts';

export interface ReadTrustedOptions extends TrustOptions {
  maxBytes: number;
}

/**
 * The content of a file. Throws `KickError` `untrusted` if others can change it or the way to it; `NotAFile`, an `Error`
 * that says that it is too large, or the system's error if it cannot be read.
 */
export function readTrusted(path: string, { maxBytes, ...options }: ReadTrustedOptions): Buffer {
  const found = trustedPath(path, options);
  if (found.stat === undefined) throw systemError('ENOENT', path);
  // Before it is opened: opening a device may have side effects.
  refuseOthers(found.stat);
  const descriptor = openSync(found.path, FLAGS);
  try {
    const stat = fstatSync(descriptor);
    refuseOthers(stat);
    refuseUntrustedFile(found.path, stat, options);
    if (stat.size > maxBytes) throw new Error(`it is larger than ${maxBytes} bytes`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;
