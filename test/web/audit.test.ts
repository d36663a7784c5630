/** The audit log: its file damaged in the ways in which disks and people damage files. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openAudit } from '../../src/web/server/audit.ts';
import { tempFolder } from '../support/temp.ts';

const line = (who: string) => ({ who, via: 'session', address: '::1', what: 'POST /x', status: 200 });

async function opened(before = '') {
  const dir = tempFolder();
  const path = join(dir, 'audit.jsonl');
  mkdirSync(dir, { recursive: true });
  if (before !== '') writeFileSync(path, before, { mode: 0o600 });
  const clock = { now: () => 1_800_000_000_000, monotonic: () => 0 };
  const audit = await openAudit(dir, { clock, log: pino({ level: 'silent' }) });
  const names = async () => {
    const all: string[] = [];
    let page = await audit.page({ limit: 2 });
    for (let pages = 0; pages < 100; pages++) {
      all.push(...page.lines.map(({ who }) => who));
      if (page.next === undefined) return all;
      page = await audit.page({ limit: 2, before: page.next });
    }
    return [...all, 'and no end'];
  };
  return { audit, path, names };
}

test('half a line takes no other with it', async () => {
  const { audit, path, names } = await opened();
  await audit.add(line('one'));
  appendFileSync(path, '{"at":"2027-01-1');
  await audit.add(line('two'));
  await audit.add(line('three'));
  expect(await names()).toEqual(['three', 'two', 'one']);
});

test('what is before a megabyte of damage is still read, and nothing is read twice', async () => {
  const { audit, path, names } = await opened('\n');
  for (const who of ['one', 'two', 'three']) await audit.add(line(who));
  appendFileSync(path, Buffer.alloc(1 << 20));
  await audit.add(line('four'));
  expect(await names()).toEqual(['four', 'three', 'two', 'one']);
});
