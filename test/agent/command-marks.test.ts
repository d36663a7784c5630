/** DESIGN 14: a command that somebody sends again is carried out once, whatever became of the marks and however the clock is set. */
import { readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCommandMarks } from '../../src/agent/requests/command-marks.ts';
import { silentLog } from '../../src/util/log.ts';
import { leaveAlone, openQuarantine, quarantined } from '../../src/util/quarantine.ts';
import { tempFolder } from '../support/temp.ts';
import { refusalOf } from './harness.ts';

const NOW = 1_700_000_000;
const HOUR = 3600;

const commandOf = (jti: string, iat = NOW) => ({ iss: 'controller.example.com', jti, iat });

function marks({ max }: { max?: number } = {}) {
  const root = tempFolder();
  const limits = { entries: 10, bytes: 1 << 20, fileBytes: 1 << 20 };
  const quarantine = openQuarantine({ root, limits, clock: Date, log: silentLog });
  const folder = join(root, 'commands');
  const open = () => createCommandMarks(folder, { quarantine, ...(max !== undefined && { max }) });
  return { root, folder, open };
}

test('a command is carried out once by two agents in turn, also if it was signed again', async () => {
  const { open } = marks();
  await open().take(commandOf('a'));
  expect(await refusalOf(open().take(commandOf('a')))).toBe('gone');
  expect(await refusalOf(open().take(commandOf('a', NOW + 1)))).toBe('gone');
  await open().take(commandOf('b'));
});

test('of the same command at once one is carried out', async () => {
  const one = marks().open();
  const all = await Promise.allSettled(Array.from({ length: 9 }, () => one.take(commandOf('a'))));
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});

test('a mark is kept however long ago it was made: the clock may be set back to when its command was valid', async () => {
  const { folder, open } = marks();
  await open().take(commandOf('a'));
  for (const name of readdirSync(folder)) utimesSync(join(folder, name), NOW, NOW);
  await open().take(commandOf('b', NOW + HOUR));
  expect(await refusalOf(open().take(commandOf('a')))).toBe('gone');
});

test('the marks are limited by number, and what is forgotten is refused for ever', async () => {
  const { folder, open } = marks({ max: 3 });
  // A clock that was ahead for one command keeps none of the others out.
  await open().take(commandOf('ahead', NOW + 1000 * HOUR));
  for (let at = 0; at < 6; at++) await open().take(commandOf(`c${at}`, NOW + at * HOUR));
  expect(readdirSync(folder)).toHaveLength(3);
  for (let at = 0; at < 4; at++)
    expect(await refusalOf(open().take(commandOf(`c${at}`, NOW + at * HOUR)))).toBe('expired');
  expect(await refusalOf(open().take(commandOf('c5', NOW + 5 * HOUR)))).toBe('gone');
  await open().take(commandOf('new', NOW + 6 * HOUR));
});

test.each(['a file', 'a link'])('%s in the place of their folder is set aside', async (what) => {
  const { root, folder, open } = marks();
  if (what === 'a file') writeFileSync(folder, '');
  else symlinkSync(tempFolder(), folder);
  await open().take(commandOf('a'));
  expect(await refusalOf(open().take(commandOf('a')))).toBe('gone');
  expect(await quarantined(root)).toEqual(['commands']);
});

test('a file in the place of their folder that cannot be moved is no command that was carried out', async () => {
  const folder = join(tempFolder(), 'commands');
  writeFileSync(folder, '');
  const one = createCommandMarks(folder, { quarantine: leaveAlone });
  expect(await refusalOf(one.take(commandOf('a')))).toBe('no-space');
});
