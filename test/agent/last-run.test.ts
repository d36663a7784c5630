/** What Puppet leaves behind of its last run, and what may lie in its place. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lastRunIn, readClasses } from '../../src/agent/puppet/last-run.ts';
import { createLastOwnRun } from '../../src/agent/runs/last-own-run.ts';
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

test('of a fixed command, the last run that says something of the host; it is read once', async () => {
  const folder = tempFolder();
  const ends: Record<string, string> = {};
  const read: string[] = [];
  const lastOwnRun = createLastOwnRun(folder, {
    async endOf(run) {
      read.push(run);
      if (ends[run] === 'unreadable') throw new Error('EIO');
      const last = {
        type: 'finished',
        seq: 2,
        at: 2,
        outcome: ends[run],
        startedAt: Number(run),
        endedAt: 2,
      };
      return { last: last as never, count: 2 };
    },
  });
  const ran = (run: string, outcome: string) => {
    ends[run] = outcome;
    mkdirSync(join(folder, run));
  };
  expect(await lastOwnRun()).toBeUndefined();
  ran('1', 'timed-out');
  expect(await lastOwnRun()).toEqual({ status: 'failed', at: 1 });
  ran('2', 'changed');
  expect(await lastOwnRun()).toEqual({ status: 'changed', at: 2 });
  read.length = 0;
  expect(await lastOwnRun()).toEqual({ status: 'changed', at: 2 });
  expect(read).toEqual([]);
  ran('3', 'cancelled');
  ran('4', 'unreadable');
  expect(await lastOwnRun()).toEqual({ status: 'changed', at: 2 });
  expect(read).toEqual(['4', '3', '2']);
});
