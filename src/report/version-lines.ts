/** Catalogs of different versions, as text. */
import type { CatalogVersion } from '../controller/fleet/catalog-versions.ts';
import { clip, plural, safeText } from '../util/text.ts';

/** Versions that are named. */
const NAMED = 5;

/** `catalog versions: 3f2a91c on 398 hosts, 77aa01e on 2`; nothing where hosts have all applied the same code. */
export function versionLines(versions: readonly CatalogVersion[]): string[] {
  if (versions.length === 0) return [];
  const shown = versions
    .slice(0, NAMED)
    .map(
      ({ version, hosts }, index) => `${inShort(version)} on ${index === 0 ? plural(hosts, 'host') : hosts}`,
    );
  const rest = versions.slice(NAMED);
  const left = rest.reduce((sum, { hosts }) => sum + hosts, 0);
  const more = rest.length === 0 ? '' : `, and ${rest.length} more on ${left}`;
  return ['', `  catalog versions: ${shown.join(', ')}${more}`];
}

/** A version may be a commit's whole message. */
function inShort(version: string | undefined): string {
  if (version === undefined) return 'compiled anew';
  const [first = ''] = version.split('\n');
  return safeText(clip(first === version ? version : `${first}…`, 80));
}
