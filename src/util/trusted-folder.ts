/** Makes folders of ours. */
import { mkdir } from 'node:fs/promises';
import { type TrustOptions, trustedPath } from './trusted-path.ts';

/**
 * Makes a folder and those above it, 0700. Throws `KickError` `untrusted` if others can change it or the way to it, also
 * if they have made it meanwhile; the system's error if it cannot be made.
 */
export async function makeTrustedFolder(path: string, options: TrustOptions): Promise<void> {
  trustedPath(path, options);
  await mkdir(path, { recursive: true, mode: 0o700 });
  trustedPath(path, options);
}
