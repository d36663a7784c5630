/** Sessions and tokens over time, by a clock that a test sets; and where the disk is full. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { openSessions } from '../../src/web/server/access/sessions.ts';
import { openStoredList } from '../../src/web/server/access/stored-list.ts';
import { openTokens } from '../../src/web/server/access/tokens.ts';
import { tempFolder } from '../support/temp.ts';

const HOUR = 3_600_000;
const log = pino({ level: 'silent' });

function setClock() {
  const time = { now: 1_800_000_000_000 };
  return { time, clock: { now: () => time.now, monotonic: () => time.now } };
}

test('a session ends after half an hour without a request, and after twelve hours in any case', async () => {
  const { time, clock } = setClock();
  const sessions = await openSessions(tempFolder(), { clock, log });
  const [idle, busy] = [await sessions.begin('alice'), await sessions.begin('alice')];
  for (let half = 0; half < 23; half++) {
    time.now += HOUR / 2 - 1000;
    // A stream that looks whether it may stay does not prolong it.
    await sessions.find(idle, false);
    expect(await sessions.find(busy, true), `${half}`).toBeDefined();
  }
  expect(await sessions.find(idle, true)).toBeUndefined();
  time.now += HOUR;
  expect(await sessions.find(busy, true)).toBeUndefined();
});

test('a session outlives the server, ends when it is ended, and is not found by its hash', async () => {
  const [{ clock }, folder] = [setClock(), tempFolder()];
  const secret = await (await openSessions(folder, { clock, log })).begin('alice');
  const after = await openSessions(folder, { clock, log });
  const session = await after.find(secret, true);
  expect(session).toMatchObject({ user: 'alice' });
  expect(await after.find(session?.hash ?? '', true)).toBeUndefined();
  await after.end(session?.hash ?? '');
  expect(await (await openSessions(folder, { clock, log })).find(secret, true)).toBeUndefined();
});

test('where nothing can be written, people still come in', async () => {
  const { clock } = setClock();
  const folder = join(tempFolder(), 'web');
  const sessions = await openSessions(folder, { clock, log });
  writeFileSync(folder, 'in the place of the folder');
  expect(await sessions.find(await sessions.begin('alice'), true)).toMatchObject({ user: 'alice' });
});

test('a list that would be too long to be read again is not written', async () => {
  const [{ clock }, folder] = [setClock(), tempFolder()];
  const list = openStoredList(join(folder, 'list.json'), v.string(), clock);
  await list.change(() => ['as it was']);
  await expect(list.change(() => ['x'.repeat(9 << 20)])).rejects.toMatchObject({ code: 'state' });
  expect(await list.read()).toEqual(['as it was']);
});

test('a token ends when it says, and a session is none', async () => {
  const [{ time, clock }, folder] = [setClock(), tempFolder()];
  mkdirSync(folder, { recursive: true });
  const tokens = openTokens(folder, clock);
  const wish = { name: 'ci', user: 'alice', role: 'viewer', limits: {}, endsAt: time.now + HOUR } as const;
  const [, secret] = await tokens.create(wish);
  expect(await tokens.find(secret)).toMatchObject({ user: 'alice' });
  expect(await tokens.find(secret.slice('kick_'.length))).toBeUndefined();
  time.now += HOUR;
  expect(await tokens.find(secret)).toBeUndefined();
});
