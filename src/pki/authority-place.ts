/** The folder of our own CA: changed by one at a time, even by several processes. */
import type { KeyObject } from 'node:crypto';
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError, onFiles } from '../errors.ts';
import type { Clock } from '../util/clock.ts';
import { holdKernelLock } from '../util/kernel-lock.ts';
import { flockHolders } from '../util/proc.ts';
import { readTrusted } from '../util/trusted-file.ts';
import { makeTrustedFolder } from '../util/trusted-folder.ts';
import { refuseUntrusted } from '../util/trusted-path.ts';
import type { AuthorityPaths } from './authority-index.ts';
import { isWhole, NOT_WHOLE, privateKey } from './identity-files.ts';

const LOCK_WAIT_MS = 30_000;

const MAX_KEY_BYTES = 1 << 16;

export interface Place {
  dir: string;
  paths: AuthorityPaths;
  clock: Clock;
}

/**
 * Under the kernel's lock: whoever was stopped inside, for however long, still holds it, and overwrites nothing newer. Throws
 * `KickError` `pki` for what the system refuses, `locked`, and `untrusted` if others can change the folder or the way to it.
 */
export async function exclusively<T>({ dir }: Place, work: () => Promise<T>): Promise<T> {
  const label = `CA in "${dir}"`;
  const trust = { doing: `use the ${label}` };
  for (const name of ['certs', 'private_keys']) refuseUntrusted(join(dir, name), trust);
  await makeTrustedFolder(join(dir, 'ca'), trust);
  const path = join(dir, 'ca', 'index.flock');
  const lock = await holdKernelLock(path, { label, holder: () => holderOf(path), waitMs: LOCK_WAIT_MS });
  try {
    return await onFiles({ code: 'pki', doing: `use the ${label}` }, work);
  } finally {
    lock.release();
  }
}

async function holderOf(path: string): Promise<string> {
  const [holder] = flockHolders(await realpath(path));
  return holder === undefined ? 'another process' : `pid ${holder.pid}`;
}

/** Throws `KickError` `pki`. */
export function caKey({ caKey: pathOf }: AuthorityPaths, generation: number): KeyObject {
  const path = pathOf(generation);
  const pem = readTrusted(path, { doing: `use the CA's key "${path}"`, maxBytes: MAX_KEY_BYTES });
  const key = privateKey(pem.toString('latin1'), path);
  if (isWhole(key)) return key;
  throw new KickError('pki', `use the CA's key "${path}": ${NOT_WHOLE}`, {
    hint: 'restore it from a backup of the CA',
  });
}
