/** An append-only file tells of a line once it holds it. */
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAppendLog } from '../../src/util/append-log.ts';
import { tempFolder } from '../support/temp.ts';

function place() {
  const path = join(tempFolder(), 'log');
  const troubles: unknown[] = [];
  const log = createAppendLog(openSync(path, 'a', 0o600), (error) => troubles.push(error));
  return { log, troubles, text: () => readFileSync(path, 'utf8') };
}

test('AppendLog tells of a line only when the file holds it, in order', async () => {
  const { log, text } = place();
  const told: string[] = [];
  for (let i = 0; i < 100; i++) {
    log.add(`${i}\n`, () => {
      expect(text().split('\n')).toContain(String(i));
      told.push(String(i));
    });
    if (i % 30 === 0) await log.written();
  }
  await log.close();
  expect(told).toEqual(text().trim().split('\n'));
  expect(told).toHaveLength(100);
});

test('AppendLog says that there is no room, and when there is again', async () => {
  const { log, text } = place();
  expect(log.room()).toBeUndefined();
  log.add(`${'x'.repeat(2 << 20)}\n`);
  await log.room();
  expect(text()).toHaveLength((2 << 20) + 1);
  expect(log.room()).toBeUndefined();
  await log.close();
});

test('AppendLog.written does not wait for what is added later', async () => {
  const { log } = place();
  let isOver = false;
  const more = () => {
    if (!isOver) log.add('more\n', more);
  };
  more();
  await expect(log.written()).resolves.toBeUndefined();
  isOver = true;
  await log.close();
});

test('AppendLog that cannot write says so once, and tells of everything all the same', async () => {
  const folder = tempFolder();
  mkdirSync(join(folder, 'sub'));
  const troubles: unknown[] = [];
  const log = createAppendLog(openSync(join(folder, 'sub'), 'r'), (error) => troubles.push(error));
  const told: number[] = [];
  log.add('a\n', () => told.push(1));
  await log.written();
  log.add('b\n', () => told.push(2));
  await log.close();
  expect(told).toEqual([1, 2]);
  expect(troubles).toHaveLength(1);
});

test('AppendLog says that a file could not be closed, and goes on', async () => {
  const path = join(tempFolder(), 'log');
  const troubles: unknown[] = [];
  const fd = openSync(path, 'a', 0o600);
  const log = createAppendLog(fd, (error) => troubles.push(error));
  closeSync(fd);
  await log.close();
  await log.close();
  expect(troubles).toMatchObject([{ code: 'EBADF' }]);
});
