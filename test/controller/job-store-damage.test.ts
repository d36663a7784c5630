/** What is left of jobs whose files are damaged, gone, full or lost to another controller. */
import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { findJobs } from '../../src/controller/find-jobs.ts';
import { openJobStore } from '../../src/controller/jobs/job-store.ts';
import { systemClock } from '../../src/util/clock.ts';
import { canSet, setImmutable } from '../support/immutable.ts';
import { DAY_MS, dispatched, done, never, place } from './stored-jobs.ts';

test('a line that a kill left half written is lost alone, and the next one begins a line', async () => {
  const { dir, store, make, record } = place();
  const job = await make();
  const first = await record(job.id);
  for (const one of [dispatched('a'), done('a'), dispatched('b'), done('b')]) first.on(one);
  await first.close();
  const path = join(dir, 'jobs', job.id, 'events.jsonl');
  const whole = readFileSync(path);
  for (let cut = 1; cut < 60; cut += 7) {
    writeFileSync(path, whole);
    truncateSync(path, whole.length - cut);
    const torn = await store.read(job.id);
    expect([...(torn?.results.keys() ?? [])], `cut by ${cut}`).toEqual(['a']);
    const again = await record(job.id, never, {
      results: torn?.results ?? new Map(),
      after: new Map(),
    });
    again.on(done('b'));
    await again.close();
    const mended = await store.read(job.id);
    expect([...(mended?.results.keys() ?? [])]).toEqual(['a', 'b']);
    expect(mended?.damaged).toBe(0);
  }
});

test('a line that is damaged is passed over and counted', async () => {
  const { dir, store, make, record } = place();
  const job = await make();
  const recorder = await record(job.id);
  recorder.on(done('a'));
  appendFileSync(join(dir, 'jobs', job.id, 'events.jsonl'), '\u0000\u0000junk\n{"type":"host-done"}\n[]\n');
  recorder.on(done('b'));
  await recorder.close();
  const stored = await store.read(job.id);
  expect([...(stored?.results.keys() ?? [])]).toEqual(['a', 'b']);
  expect(stored?.damaged).toBe(3);
});

test('a digit that has become another one costs its line: no host gets the outcome of another, and no list another number', async () => {
  const { dir, store, make, record, release } = place();
  const job = await make();
  const recorder = await record(job.id);
  for (const one of [done('a'), done('b')]) recorder.on(one);
  recorder.on({ type: 'job-done', at: 9, results: [] });
  await recorder.close({ exit: 0 });
  release(job.id);
  const damage = (path: string, from: string, to: string) =>
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  damage(join(dir, 'jobs', 'index.jsonl'), '"changed":2', '"changed":7');
  expect(await findJobs(store, {}, 0)).toMatchObject([{ state: 'done', counts: { changed: 2 } }]);
  damage(join(dir, 'jobs', job.id, 'events.jsonl'), '"certname":"a"', '"certname":"b"');
  const stored = await store.read(job.id);
  expect([...(stored?.results.keys() ?? [])]).toEqual(['b']);
  expect(stored?.damaged).toBe(1);
});

test.each([
  ['a letter', (text: string) => text.replace('"at":', '"ax":')],
  ['whether to cancel', (text: string) => text.replace('false', 'true')],
  ['everything', () => ''],
])('an order of which %s is damaged stops the job, and cancels nothing', async (_, damaged) => {
  const { dir, store, make } = place();
  const { id } = await make();
  await store.order(id, { at: 1, by: 'me', cancel: false });
  const path = join(dir, 'jobs', id, 'stop.json');
  writeFileSync(path, damaged(readFileSync(path, 'utf8')));
  expect(await store.ordered(id)).toEqual({ at: 0, by: 'an order that cannot be read', cancel: false });
});

test('a job whose job.json is gone or damaged is an error that names its folder, and the others are listed', async () => {
  const { dir, store, make } = place();
  const [one, two] = [await make(), await make()];
  writeFileSync(join(dir, 'jobs', one.id, 'job.json'), '{');
  rmSync(join(dir, 'jobs', 'index.jsonl'));
  await expect(store.read(one.id)).rejects.toMatchObject({
    code: 'state',
    hint: expect.stringContaining(one.id),
  });
  expect((await store.index.list()).map(({ id, hosts }) => [id, hosts])).toEqual([
    [one.id, 0],
    [two.id, 2],
  ]);
});

test('the index is only a cache: without it, and with a damaged one, the list is the same', async () => {
  const { dir, store, make, record } = place();
  const job = await make(['a'], { name: 'nightly' });
  const recorder = await record(job.id);
  recorder.on(done('a'));
  recorder.on({ type: 'job-done', at: 9, results: [] });
  await recorder.close({ exit: 0 });
  const index = join(dir, 'jobs', 'index.jsonl');
  const known = await store.index.list();
  expect(known).toMatchObject([{ name: 'nightly', counts: { changed: 1 } }]);
  const strip = (jobs: typeof known) =>
    jobs.map(({ id, name, hosts, counts, endedAt }) => [id, name, hosts, counts, endedAt === undefined]);
  appendFileSync(index, '{"id":');
  expect(strip(await store.index.list())).toEqual(strip(known));
  writeFileSync(index, 'junk');
  expect(strip(await store.index.list())).toEqual(strip(known));
  rmSync(join(dir, 'jobs', job.id), { recursive: true });
  expect(await store.index.list()).toEqual([]);
});

test('a store that can no longer be written says so once, and nothing is thrown', async () => {
  const { make, record } = place();
  const job = await make();
  const troubles: string[] = [];
  const recorder = await record(job.id, (why) => void troubles.push(why));
  // Not to be written as JSON: as good as a full disk, and had without one.
  recorder.on({ type: 'host-retry', at: 1, certname: 'a', message: 1n as never });
  recorder.on(done('a'));
  await recorder.close();
  expect(troubles).toHaveLength(1);
});

test('a controller that has lost its job records nothing more of it, and reports nothing', async () => {
  const { dir, store, make, record } = place();
  const job = await make();
  const recorder = await record(job.id);
  const reported: string[] = [];
  recorder.on(done('a'), () => reported.push('a'));
  await recorder.written();
  writeFileSync(join(dir, 'jobs', job.id, 'lease.2.json'), '{}');
  recorder.on(done('b'), () => reported.push('b'));
  recorder.on({ type: 'job-done', at: 9, results: [] });
  await recorder.close({ exit: 0 });
  expect(reported).toEqual(['a']);
  const stored = await store.read(job.id);
  expect([...(stored?.results.keys() ?? [])]).toEqual(['a']);
  expect(stored?.endedAt).toBeUndefined();
  expect((await store.index.list())[0]?.exit).toBeUndefined();
});

test('a job that runs cannot be taken by another store of the same process, and can when it is released', async () => {
  const { dir, store, make } = place();
  const job = await make();
  const other = openJobStore(dir, systemClock);
  expect(await other.take(job.id)).toEqual({ pid: process.pid });
  expect(other.holderOf(job.id)).toEqual({ pid: process.pid });
  const stranger = await make();
  writeFileSync(join(dir, 'jobs', stranger.id, 'lease.2.json'), '{"v":1}');
  const lease = await other.take(stranger.id);
  if (!('lost' in lease)) return expect.unreachable();
  expect(store.holderOf(stranger.id)).toEqual({ pid: process.pid });
  lease.release();
  expect(store.holderOf(stranger.id)).toBeUndefined();
});

const NONE = { maxAgeMs: 0, maxJobs: 0, maxBytes: 0 };
const nobodyKeeps = (laterMs: number) => ({ now: Date.now() + laterMs, isKept: async () => false });

/** What cannot be removed is as good as a kill in the middle of a removal, and had without luck. */
test.skipIf(!canSet)(
  'a job that is pruned is gone at once: a kill leaves no half that can be resumed',
  async () => {
    const { dir, store, make, release } = place();
    const jobs = [await make(), await make(), await make()];
    for (const { id } of jobs) release(id);
    const [first, ...others] = jobs.map(({ id }) => id);
    const stuck = join(dir, 'jobs', first ?? '', 'more');
    writeFileSync(stuck, '');
    expect(setImmutable(join(dir, 'jobs'), stuck)).toBe(true);
    expect(await store.index.prune(NONE, nobodyKeeps(0))).toEqual([first, ...others]);
    expect(await store.index.list()).toEqual([]);
  },
);

test('what a kill has left of a job that was pruned is removed a day later, not what is being made', async () => {
  const { dir, store, make, release } = place();
  const left = join(dir, 'jobs', '.tmp-left');
  release((await make()).id);
  writeFileSync(left, '');
  await store.index.prune(NONE, nobodyKeeps(0));
  expect(existsSync(left)).toBe(true);
  release((await make()).id);
  await store.index.prune(NONE, nobodyKeeps(2 * DAY_MS));
  expect(existsSync(left)).toBe(false);
});
