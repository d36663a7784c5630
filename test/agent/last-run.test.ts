/** What Puppet leaves behind of its last run, and what may lie in its place. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lastRunIn, readClasses } from '../../src/agent/puppet/last-run.ts';
import { tempFolder } from '../support/temp.ts';

const EXAMPLE = join(import.meta.dirname, '..', 'lab', 'last_run_report.example.yaml');

test('the last run and the classes are what Puppet left behind', async () => {
  const folder = tempFolder();
  copyFileSync(EXAMPLE, join(folder, 'report'));
  expect(await lastRunIn(join(folder, 'report'))).toMatchObject({
    ...{ status: 'changed', environment: 'production' },
    at: expect.closeTo(Date.parse('2026-11-23T14:33:00Z'), -5),
  });
  expect(await lastRunIn(join(folder, 'none'))).toBeUndefined();
  writeFileSync(join(folder, 'classes.txt'), 'settings\nLab\n\nlab::sub\n');
  expect(await readClasses(join(folder, 'classes.txt'))).toEqual(['settings', 'lab', 'lab::sub']);
  expect(await readClasses(join(folder, 'none'))).toBeUndefined();
  expect(await readClasses('/dev/zero')).toBeUndefined();
  mkdirSync(join(folder, 'dir'));
  expect(await readClasses(join(folder, 'dir'))).toBeUndefined();
  writeFileSync(join(folder, 'most'), `${'x'.repeat(300)}\n${'a\n'.repeat(10_000)}`);
  expect(await readClasses(join(folder, 'most'))).toHaveLength(10_000);
  for (const more of ['a\n'.repeat(10_001), `${'é'.repeat(250)}\n`.repeat(3000)]) {
    writeFileSync(join(folder, 'more'), more);
    expect(
      await readClasses(join(folder, 'more')),
      'half of them would choose the wrong hosts',
    ).toBeUndefined();
  }
});
