/** `kick --version --verbose`: what exactly runs here, for a report of an error. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { stamp, version } from './version.ts';

/** Lines without the last newline. */
export function versionDetails(): string {
  const { commit, origin } = stamp() ?? { commit: builtCommit(), origin: originHere() };
  return [
    `kick ${version()}`,
    `commit ${commit}`,
    `Node ${process.versions.node} (${process.execPath})`,
    `installed from ${origin}`,
  ].join('\n');
}

/** As `npm run build` has left it in dist/. */
function builtCommit(): string {
  try {
    return readFileSync(new URL('../commit', import.meta.url), 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

function originHere(): string {
  const root = new URL('../../', import.meta.url);
  return `${existsSync(new URL('.git', root)) ? 'a checkout' : 'npm'} (${fileURLToPath(root)})`;
}
