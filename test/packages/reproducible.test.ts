/** The same commit gives the same bytes, wherever it lies and whenever it is built. */
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/program.ts';
import { tempFolder } from '../support/temp.ts';

/** SHA256SUMS of what a checkout of its own makes, on a machine with another time zone and language. */
function sumsOf(name: string, env: NodeJS.ProcessEnv): string {
  const checkout = join(tempFolder(), name);
  const out = join(tempFolder(), 'out');
  execFileSync('git', ['clone', '--quiet', '--shared', ROOT, checkout]);
  cpSync(join(ROOT, 'node_modules'), join(checkout, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  execFileSync('npm', ['run', '--silent', 'package', '--', '--arch', 'amd64', '--quick', '--out', out], {
    cwd: checkout,
    env: { ...process.env, ...env },
  });
  return readFileSync(join(out, 'SHA256SUMS'), 'utf8');
}

test('deb, rpm, tar.gz, tgz and SBOM of two checkouts are the same', () => {
  const first = sumsOf('first', { TZ: 'UTC' });
  expect(first.match(/\.(deb|rpm|tar\.gz|tgz|cdx\.json)$/gm)).toHaveLength(7);
  expect(sumsOf('another', { TZ: 'Asia/Tokyo', LC_ALL: 'C' })).toBe(first);
});
