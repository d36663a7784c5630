/** Schedules: their times, what was missed, and what happens while the last job still runs. */
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { ScheduleWish } from '../../src/web/api/schedule.ts';
import { createScheduler, type Pass } from '../../src/web/server/schedules/scheduler.ts';
import { openStoredSchedules, type StoredSchedule } from '../../src/web/server/schedules/stored-schedule.ts';
import { cronProblem } from '../../src/web/server/schedules/times.ts';
import { realSite } from '../support/real-site.ts';
import { tempFolder } from '../support/temp.ts';
import { writePeople } from './people.ts';
import { jobDone, signIn, startServer } from './web-site.ts';

const MINUTE = 60_000;
const START = Date.parse('2026-01-10T12:00:30Z');

const WISH: ScheduleWish = {
  ...{ name: 'often', cron: '*/10 * * * *', zone: 'UTC', choice: { all: true }, action: {}, rollout: {} },
  ...{ ifStillRunning: 'skip', missed: 'skip', paused: false },
};

/** A scheduler at a time that a test sets, which notes what it would start. */
async function scheduled(wish: Partial<ScheduleWish>, folder = tempFolder()) {
  const time = { now: START };
  const clock = { now: () => time.now, monotonic: () => time.now };
  const stored = openStoredSchedules(join(folder, 'web'), clock);
  const fired: number[] = [];
  const fire = async (): Promise<Pass> => {
    fired.push(time.now - START);
    return { result: 'started' };
  };
  const log = pino({ level: 'silent' });
  const scheduler = createScheduler({ stored, clock, log, fire });
  const made: StoredSchedule = {
    ...{
      wish: { ...WISH, ...wish },
      owner: 'alice',
      limits: [],
      createdAt: START,
      doneUntil: START,
      history: [],
    },
  };
  await stored.change((all) => (all.length === 0 ? [made] : all));
  return {
    ...{ folder, stored, fired },
    async at(ms: number) {
      time.now = START + ms;
      await scheduler.look();
    },
    history: async () => (await stored.read())[0]?.history.map(({ result }) => result),
  };
}

test('a time is dealt with once, however often it is looked at, by one of two servers', async () => {
  const one = await scheduled({});
  const other = await scheduled({}, one.folder);
  await one.at(5 * MINUTE);
  expect(one.fired).toEqual([]);
  await one.at(10 * MINUTE);
  await one.at(10 * MINUTE + 5000);
  await other.at(10 * MINUTE + 6000);
  await other.at(19 * MINUTE + 40_000);
  expect([one.fired, other.fired]).toEqual([[10 * MINUTE], [19 * MINUTE + 40_000]]);
  await expect.poll(one.history).toEqual(['started', 'started']);
});

test('times that passed while no server ran are run once, or are missed, as it says', async () => {
  const [once, skip] = [await scheduled({ missed: 'once' }), await scheduled({ missed: 'skip' })];
  const later = 65 * MINUTE;
  for (const one of [once, skip]) await one.at(later);
  expect([once.fired, skip.fired]).toEqual([[later], []]);
  await expect.poll(skip.history).toEqual(['missed']);
  for (const one of [once, skip]) await one.at(69 * MINUTE + 40_000);
  expect([once.fired.length, skip.fired.length]).toEqual([2, 1]);
});

test('a schedule that is paused does nothing', async () => {
  const one = await scheduled({ paused: true });
  await one.at(65 * MINUTE);
  expect([one.fired, await one.history()]).toEqual([[], []]);
});

test.each([
  ['2026-03-28T23:00:00Z', '30 2 * * *', ['01:00']],
  ['2026-10-24T22:00:00Z', '30 2 * * *', ['00:30']],
  ['2026-03-28T23:00:00Z', '30 * * * *', ['23:30', '00:30', '01:30', '02:30']],
  ['2026-10-24T22:00:00Z', '30 * * * *', ['22:30', '23:30', '00:30', '01:30']],
])('from %s, when Berlin changes its clocks, "%s" comes at %o', async (from, cron, times) => {
  const one = await scheduled({ cron, zone: 'Europe/Berlin' });
  const begin = Date.parse(from) - START;
  await one.stored.change((all) => all.map((schedule) => ({ ...schedule, doneUntil: Date.parse(from) })));
  for (let minute = 0; minute < 240; minute++) await one.at(begin + minute * MINUTE);
  expect(one.fired.map((ms) => new Date(START + ms).toISOString().slice(11, 16))).toEqual(times);
});

test.each([
  ['61 * * * *', 'UTC', 'cron'],
  ['* * * *', 'UTC', 'cron'],
  ['* * * * * *', 'UTC', 'cron'],
  ['0 0 30 2 *', 'UTC', 'cron'],
  ['rm -rf', 'UTC', 'cron'],
  ['@hourly', 'UTC', 'cron'],
  ['2030-01-01T00:00:00', 'UTC', 'cron'],
  ['0 3 * * *', 'Europe/Nowhere', 'zone'],
])('"%s" in %s is refused for its %s', (cron, zone, field) => {
  expect(cronProblem(cron, zone)).toMatchObject({ field });
});

test('over the API: what still runs is waited for or skipped, and the rights are those that the owner has now', async () => {
  const site = await realSite(1, () => 'echo begin >>"$JOURNAL"; held; exit 2');
  site.controllerYaml({ puppetdb: false });
  writePeople(site, { alice: { role: 'operator' }, bob: { role: 'operator' } });
  const server = await startServer(site);
  const [alice, bob] = [await signIn(server, 'alice'), await signIn(server, 'bob')];
  const wish = { name: 'nightly', cron: '0 3 * * *', zone: 'Europe/Berlin', choice: { hosts: ['web1'] } };
  const made = await server.ask('schedules', { body: wish, headers: alice });
  expect(made.json).toMatchObject({ owner: 'alice', history: [], next: { length: 5 } });
  const wrong = await server.ask('schedules', { body: { ...wish, cron: '99 * * * *' }, headers: alice });
  expect(wrong.json).toMatchObject({ status: 400, errors: [{ path: 'body.cron' }] });
  for (const choice of [{}, { hosts: [] }, { exclude: ['web1'] }]) {
    const nobody = await server.ask('schedules', { body: { ...wish, choice }, headers: alice });
    expect(nobody.json).toMatchObject({ status: 422, errors: [{ path: 'body.choice' }] });
  }
  const others = await server.ask('schedules/nightly', { method: 'DELETE', headers: bob });
  expect(others.json).toMatchObject({ status: 403, detail: 'own schedules: alice made "nightly"' });

  const run = () => server.ask('schedules/nightly/run', { body: {}, headers: alice });
  const { job } = (await run()).json;
  expect((await run()).json).toEqual({ message: 'the job before it still runs' });
  site.release();
  expect(await jobDone(server, job, alice)).toMatchObject({
    by: { user: 'alice', reason: 'schedule nightly' },
  });

  site.hold();
  await server.ask('schedules', { body: { ...wish, ifStillRunning: 'replace' }, headers: alice });
  const first = (await run()).json.job;
  await expect.poll(() => site.journal('web1.example.com').length).toBe(2);
  const second = (await run()).json.job;
  expect((await jobDone(server, first, alice)).counts).toEqual({ cancelled: 1 });
  site.release();
  expect((await jobDone(server, second, alice)).counts).toEqual({ changed: 1 });

  site.hold();
  await server.ask('schedules', { body: { ...wish, ifStillRunning: 'wait' }, headers: alice });
  const held = (await run()).json.job;
  const waits = await run();
  expect(waits).toMatchObject({
    status: 202,
    json: { message: `it waits for the end of job ${held.slice(-8)}` },
  });
  expect((await run()).json).toEqual({ message: 'one waits already' });
  site.release();
  await jobDone(server, held, alice);
  const latest = async () => (await server.ask('schedules', { headers: alice })).json.schedules[0].history[0];
  await expect.poll(async () => (await latest()).result).toBe('started');
  await jobDone(server, (await latest()).job, alice);

  writePeople(site, { alice: { role: 'viewer' }, bob: { role: 'admin' } });
  const late = await server.ask('schedules/nightly/run', { body: {}, headers: bob });
  expect(late.json).toEqual({ message: 'its owner, alice, may start no jobs now' });
  const paused = await server.ask('schedules/nightly/pause', { body: { paused: true }, headers: bob });
  expect(paused.json).toMatchObject({ paused: true, next: [], history: { length: 8 } });
});
