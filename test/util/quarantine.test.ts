/** What is set aside: whatever it is, and not more than there is room for. */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog } from '../../src/util/log.ts';
import { openQuarantine, quarantined, quarantineOf } from '../../src/util/quarantine.ts';
import { tempFolder } from '../support/temp.ts';

const LIMITS = { entries: 3, bytes: 100_000, fileBytes: 50_000 };

function place() {
  const root = tempFolder();
  const time = { now: 1_700_000_000_000 };
  const clock = { now: () => (time.now += 1000) };
  const open = () => openQuarantine({ root, limits: LIMITS, clock, log: silentLog });
  const write = (name: string, bytes = 10) => {
    writeFileSync(join(root, name), 'x'.repeat(bytes));
    return join(root, name);
  };
  return { root, clock, open, write };
}

test('the oldest go when there are too many, also those of an earlier agent', async () => {
  const { root, open, write } = place();
  for (const name of ['a', 'b']) expect(await open().setAside(write(name), 'why')).toBe(true);
  const later = open();
  for (const name of ['c', 'd', 'e']) await later.setAside(write(name), 'why');
  expect(await quarantined(root)).toEqual(['e', 'd', 'c']);
});

test('the oldest go when they take too much, and what is too long is cut', async () => {
  const { root, open, write } = place();
  const quarantine = open();
  for (const name of ['a', 'b', 'c']) await quarantine.setAside(write(name, 60_000), 'why');
  expect(await quarantined(root)).toEqual(['c', 'b']);
  const sizes = readdirSync(quarantineOf(root)).map((name) => lstatSync(join(quarantineOf(root), name)).size);
  expect(sizes).toEqual([50_000, 50_000]);
});

test('a folder is moved with all that is in it, a link itself, a name from below with its folders', async () => {
  const { root, open, write } = place();
  mkdirSync(join(root, 'sub', 'folder'), { recursive: true });
  truncateSync(write('sub/folder/hole'), 1 << 30);
  write('target', 70_000);
  symlinkSync(join(root, 'target'), join(root, 'link'));
  const quarantine = open();
  await quarantine.setAside(join(root, 'sub', 'folder'), 'why');
  await quarantine.setAside(join(root, 'link'), 'why');
  expect(await quarantined(root)).toEqual(['link', 'sub.folder']);
  expect(readFileSync(join(root, 'target'), 'utf8')).toHaveLength(70_000);
  expect(await quarantine.setAside(join(root, 'nothing'), 'why')).toBe(false);
});

test('it is pruned by age, and what is not ours is left alone', async () => {
  const { root, clock, open, write } = place();
  const quarantine = open();
  await quarantine.setAside(write('a'), 'why');
  const between = clock.now();
  await quarantine.setAside(write('b'), 'why');
  write('quarantine/mine');
  await quarantine.prune(between);
  expect(await quarantined(root)).toEqual(['b']);
  expect(existsSync(join(quarantineOf(root), 'mine'))).toBe(true);
});

test('replace sets a folder in the place of a file aside', async () => {
  const { root, open } = place();
  const path = join(root, 'x.json');
  mkdirSync(join(path, 'sub'), { recursive: true });
  await open().replace(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(await quarantined(root)).toEqual(['x.json']);
});
