/** Our version, from package.json, which is next to src/ and dist/. */
import { readFileSync } from 'node:fs';

/** In a package's bundle, which has no package.json beside it (scripts/package/bundle.ts). */
declare const KICK_BUNDLE: { version: string; commit: string; origin: string } | undefined;

export function version(): string {
  if (typeof KICK_BUNDLE !== 'undefined') return KICK_BUNDLE.version;
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version: found } = JSON.parse(text) as { version: string };
  return found;
}
