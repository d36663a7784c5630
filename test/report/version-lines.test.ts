/** Versions of catalogs: those that say something of the code, most hosts first. */
import { expect, test } from 'vitest';
import { catalogVersions } from '../../src/controller/fleet/catalog-versions.ts';
import { versionLines } from '../../src/report/version-lines.ts';

const AT = Date.UTC(2026, 10, 23, 7, 31, 5);

/** What hosts that have applied these versions, in this job, are reported with. */
function linesOf(versions: readonly (string | undefined)[]): string[] {
  const results = versions.map((configurationVersion, index) => ({
    ...{ certname: `web${index}`, outcome: 'changed' as const, endedAt: AT },
    finished: {
      ...{ type: 'finished' as const, outcome: 'changed' as const, endedAt: AT },
      facts: configurationVersion === undefined ? {} : { configurationVersion },
    },
  }));
  return versionLines(catalogVersions(results, AT));
}

/** Puppet's own version: when it read the manifests. */
const read = (seconds: number) => String(AT / 1000 + seconds);

test('hosts of one version, or of none, are not worth a line', () => {
  expect(linesOf([])).toEqual([]);
  expect(linesOf(['3f2a91c', '3f2a91c', undefined])).toEqual([]);
});

test('manifests that were read anew for this job are of one version, whatever second that was', () => {
  expect(linesOf([read(1), read(2), read(-59)])).toEqual([]);
  expect(linesOf([read(1), read(2), read(-3600)])).toEqual([
    '',
    `  catalog versions: compiled anew on 2 hosts, ${read(-3600)} on 1`,
  ]);
});

test('of very many versions a few are named', () => {
  const old = [...Array(9).keys()].map((hours) => read(-3600 * (hours + 1)));
  expect(linesOf(old).at(-1)).toMatch(
    /^ {2}catalog versions: \d{10} on 1 host, (\d{10} on 1, ){4}and 4 more on 4$/,
  );
});
