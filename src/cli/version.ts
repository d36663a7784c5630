/** Our version, from package.json, which is next to src/ and dist/. */
import { readFileSync } from 'node:fs';

interface Stamp {
  version: string;
  commit: string;
  /** What it was installed from: `deb`, `rpm` or `tar`. */
  origin: string;
}

/** In a package's bundle, which has no package.json beside it (scripts/package/bundle.ts). */
declare const KICK_BUNDLE: Stamp;

/** Of a package's bundle; undefined in any other program. */
export function stamp(): Stamp | undefined {
  return typeof KICK_BUNDLE === 'undefined' ? undefined : KICK_BUNDLE;
}

export function version(): string {
  const stamped = stamp();
  if (stamped !== undefined) return stamped.version;
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version: found } = JSON.parse(text) as { version: string };
  return found;
}
