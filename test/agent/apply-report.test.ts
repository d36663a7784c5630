/** `puppet apply` writes its report where its run is: one that has become another is not believed, in nothing that it says. */
import { createHash } from 'node:crypto';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createLogReader } from '../../src/agent/judge/log-findings.ts';
import { puppetApplyRunner } from '../../src/agent/runners/puppet-runners.ts';
import { silentLog } from '../../src/util/log.ts';
import { tempFolder } from '../support/temp.ts';

const EXAMPLE = join(import.meta.dirname, '..', 'lab', 'last_run_report.example.yaml');

test('neither its outcome nor its resources', async () => {
  const dir = tempFolder();
  const runner = puppetApplyRunner('site.pp', {
    ...{ puppet: 'none', path: '', stateDir: dir, log: silentLog },
    ...{ runEnvironment: {}, environmentFiles: [] },
  });
  const ended = {
    ...{ run: 'r', dir, now: Date.now(), action: { op: 'run' as const }, exit: 2 },
    readLog: async () => createLogReader().findings(),
  };
  copyFileSync(EXAMPLE, join(dir, 'report.yaml'));
  expect(await runner.judge(ended)).toMatchObject({ outcome: 'changed' });
  expect(await runner.resources(ended)).toHaveLength(1);
  writeFileSync(join(dir, 'report.sum'), `${createHash('sha256').update('another').digest('hex')}  -\n`);
  expect(await runner.judge(ended)).toMatchObject({ outcome: 'failed' });
  expect(await runner.resources(ended)).toEqual([]);
});
