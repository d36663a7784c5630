/** Hosts that did not answer, a line for each reason. */
/** Hosts that do not answer, a line for each error. */
import { expect, test } from 'vitest';
import { silentLines } from '../../src/report/silent-hosts.ts';
import { idle, target } from './idle-host.ts';

const silent = (certname: string, host: string, error: string) => ({
  ...{ target: { certname, host, port: 8139 }, error },
});

test('silentLines has a line for each error, escaped, with its hosts; and counts those beyond twenty', () => {
  const refused = [1, 2, 3].map((n) =>
    silent(`web${n}.x`, `10.0.0.${n}`, `port 8139 of "10.0.0.${n}" refused`),
  );
  expect(silentLines([silent('db1.x', 'db1.x', 'no\u001b answer'), ...refused])).toEqual([
    'web[1-3].x  e.g. port 8139 of "10.0.0.1" refused',
    'db1.x  no\\x1b answer',
  ]);
  const words = [...'abcdefghijklmnopqrstuvwxyz'].map((letter) =>
    silent(letter, letter, `${letter} is broken`),
  );
  expect(silentLines(words)).toHaveLength(21);
  expect(silentLines(words).at(-1)).toBe('and 6 hosts more, each for a reason of its own');
  expect(silentLines([])).toEqual([]);
});

test('silentLines names hosts whose answer lacks what was asked, and none that answered', () => {
  const lacking = { target: { ...target, certname: 'web1.x' }, status: idle, error: 'no classes' };
  expect(silentLines([lacking, { target, status: idle }])).toEqual(['web1.x  no classes']);
});
