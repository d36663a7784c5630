/** Rights are those of now: what was given or found before counts no more. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { authenticate, COOKIE, type Doors } from '../../src/web/server/access/authenticate.ts';
import { openKnownPlaces } from '../../src/web/server/access/known-places.ts';
import { openSessions } from '../../src/web/server/access/sessions.ts';
import type { ServerContext } from '../../src/web/server/context.ts';
import { lockOf } from '../../src/web/server/http/hooks.ts';
import { openMarkers } from '../../src/web/server/jobs/markers.ts';
import { firing } from '../../src/web/server/schedules/fire.ts';
import type { StoredSchedule } from '../../src/web/server/schedules/stored-schedule.ts';
import { tempFolder } from '../support/temp.ts';

const clock = { now: () => 1_800_000_000_000, monotonic: () => 0 };
const log = pino({ level: 'silent' });
const ACCOUNT = { role: 'operator', limits: {}, createdAt: 0, passwordAt: 0 };

/** Doors of which only sessions and accounts are real; `accounts` by name. */
async function doorsWith(more: Partial<Doors>, accounts: object = {}): Promise<Doors> {
  const find = async (name: string) => Object.entries(accounts).find(([one]) => one === name)?.[1];
  return {
    accounts: { find } as Doors['accounts'],
    sessions: await openSessions(tempFolder(), { clock, log }),
    tokens: { find: async () => undefined } as unknown as Doors['tokens'],
    places: openKnownPlaces(tempFolder(), { clock, log }),
    certificates: { find: () => undefined },
    groups: [],
    ...more,
  };
}

const comes = (doors: Doors, cookie = '', more: object = {}) =>
  authenticate({ headers: { cookie: `${COOKIE}=${cookie}`, ...more }, socket: {} } as never, doors);

test('somebody of the provider is signed in as long as controller.yaml gives a group what theirs was given', async () => {
  const grant = { role: 'admin', limits: {} } as const;
  const doors = await doorsWith({ groups: [{ role: 'viewer', limits: {} }, grant] });
  const cookie = await doors.sessions.begin('olga', grant);
  expect(await comes(doors, cookie)).toMatchObject({ name: 'olga', role: 'admin' });
  expect(await comes({ ...doors, groups: [{ role: 'viewer', limits: {} }] }, cookie)).toBeUndefined();
  expect(await comes({ ...doors, groups: [] }, cookie)).toBeUndefined();
});

test('what the page asks by itself while nobody touches it keeps no session alive', async () => {
  const time = { now: 1_800_000_000_000 };
  const ticking = { now: () => time.now, monotonic: () => time.now };
  const sessions = await openSessions(tempFolder(), { clock: ticking, log });
  const doors = await doorsWith({ sessions }, { alice: ACCOUNT });
  const [left, used] = [await sessions.begin('alice'), await sessions.begin('alice')];
  for (let minute = 0; minute < 40; minute++) {
    time.now += 60_000;
    await comes(doors, left, { 'x-kick-background': '1' });
    expect(await comes(doors, used)).toMatchObject({ name: 'alice' });
  }
  expect(await comes(doors, left)).toBeUndefined();
});

test('a certificate with the name of a local account is not that account', async () => {
  const found = { name: 'ci', role: 'operator', limits: { noopOnly: true }, fingerprint: 'x' } as const;
  const certificates = { find: () => found };
  expect(await comes(await doorsWith({ certificates }))).toMatchObject({ name: 'ci', via: 'certificate' });
  expect(await comes(await doorsWith({ certificates }, { ci: ACCOUNT }))).toBeUndefined();
});

test('a schedule that waited for its job before starts with the rights that its owner has then', async () => {
  const accounts: Record<string, object> = { alice: ACCOUNT };
  const running = {
    isBusy: async () => true,
    over: async () => {
      accounts['alice'] = { ...ACCOUNT, role: 'viewer' };
    },
  };
  const schedules = { change: async () => Promise.reject(new Error('the disk is full')) };
  const doors = await doorsWith({}, accounts);
  const context = { doors, running, schedules, log } as unknown as ServerContext;
  const wish = { name: 'nightly', ifStillRunning: 'wait' };
  const schedule = { wish, owner: 'alice', limits: [], history: [{ at: 0, result: 'started', job: 'a' }] };
  expect(await firing(context)(schedule as unknown as StoredSchedule)).toEqual({
    ...{ result: 'failed', message: 'its owner, alice, may start no jobs now' },
  });
});

test('branches with long names that begin alike have locks of their own', () => {
  const [one, other] = ['a', 'b'].map((end) => lockOf('control-repo', `${'feature_'.repeat(8)}${end}`));
  expect(one).not.toBe(other);
  for (const name of [one, other, lockOf('x', 'production')])
    expect(name).toMatch(/^hook-[A-Za-z0-9_.-]{0,59}$/);
});

test('markers that cannot be written or removed end no server', async () => {
  const dir = join(tempFolder(), 'running');
  writeFileSync(dir, 'a file in the place of the folder');
  const [markers, id] = [openMarkers(dir, log), '01234567-89ab-7def-8123-456789abcdef'];
  await markers.add(id);
  await markers.remove(id);
  expect(await markers.list()).toEqual([]);
});
