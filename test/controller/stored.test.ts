/**
 * DESIGN 8, "What is kept": every file that a controller of 0.1 has stored is readable for ever, what we write has a
 * version, and what a newer version wrote is left alone and said. `test/fixtures/stored/controller` was written by 0.1 and
 * never changes.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { findJobs } from '../../src/controller/find-jobs.ts';
import { openJobStore } from '../../src/controller/jobs/job-store.ts';
import { beforeOf } from '../../src/controller/jobs/stored-job.ts';
import { systemClock } from '../../src/util/clock.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { tempFolder } from '../support/temp.ts';
import { jobOf } from './scripted.ts';

const OLD = fileURLToPath(new URL('../fixtures/stored/controller', import.meta.url));

function oldStore() {
  const dir = tempFolder();
  cpSync(OLD, dir, { recursive: true });
  return {
    dir,
    store: openJobStore(dir, systemClock),
    at: (...path: string[]) => join(dir, 'jobs', ...path),
  };
}

const list = (store: ReturnType<typeof openJobStore>) => findJobs(store, {}, 0);

test('what a controller of 0.1 has stored is read: jobs, events, the index, an order, whose job it is', async () => {
  const { store, at } = oldStore();
  const jobs = await list(store);
  expect(jobs).toMatchObject([
    { hosts: 3, name: 'nightly', noop: true, exit: 3, counts: { refused: 3 }, state: 'done' },
    { hosts: 3, reason: 'a reason', exit: 1, counts: { changed: 2, failed: 1 }, state: 'done' },
    { hosts: 3, state: 'died' },
  ]);
  const [first, second, third] = await Promise.all(jobs.map(({ id }) => store.read(id)));
  expect(first).toMatchObject({
    damaged: 0,
    job: { rollout: { expectVersion: 'x' }, action: { noop: true } },
  });
  expect(second).toMatchObject({
    damaged: 0,
    job: { queue: { wait: 300 }, rollout: { canary: 1, batches: [{ count: 50, unit: 'percent' }] } },
    settings: { success: 90, accept: ['disabled'], version: '0.1.0' },
  });
  expect([...(second?.results.values() ?? [])].map(({ outcome }) => outcome).sort()).toEqual([
    ...['changed', 'changed', 'failed'],
  ]);
  expect(third).toMatchObject({ damaged: 0 });
  expect(third?.controller).toBeUndefined();
  expect(third?.asked.size).toBe(2);
  const id = third?.job.id ?? '';
  expect(await store.ordered(id)).toMatchObject({ cancel: false });
  const lease = await store.take(id);
  if (!('lost' in lease)) return expect.unreachable();
  const known = third && beforeOf(third);
  await (
    await store.recorder(id, { lease, known, onTrouble: (why) => expect.unreachable(String(why)) })
  ).close();
  lease.release();
  // The index is a cache: without it the folders say the same.
  rmSync(at('index.jsonl'));
  const strip = (all: typeof jobs) => all.map(({ hosts, counts, state }) => ({ hosts, counts, state }));
  expect(strip(await list(store))).toEqual(strip(jobs));
});

test('what we store has a version', async () => {
  const dir = tempFolder();
  const store = openJobStore(dir, systemClock);
  const job = { ...jobOf(['a']), id: uuidv7(1_700_000_000_000) };
  const lease = await store.create(job, { lostAfterMs: 1, connectTimeoutMs: 1, accept: [], version: '1' });
  await store.order(job.id, { at: 1, by: 'me', cancel: true });
  const said = (name: string) => JSON.parse(readFileSync(join(dir, 'jobs', job.id, name), 'utf8'));
  for (const name of ['job.json', 'stop.json', 'lease.1.json']) expect(said(name)).toMatchObject({ v: 1 });
  expect(JSON.parse(readFileSync(join(dir, 'jobs', 'index.jsonl'), 'utf8'))).toMatchObject({ v: 1 });
  expect(await store.read(job.id)).toMatchObject({ job });
  lease.release();
});

test.each([
  ['a newer version', { v: 2 }, 'a newer version of kick wrote it', 'use that version of kick'],
  ['one that somebody has edited', { job: { id: 7 } }, 'job.id', 'what is left of it'],
])('a job of %s is an error that says so; the others are listed', async (_what, changes, why, hint) => {
  const { store, at } = oldStore();
  const [{ id } = { id: '' }] = await list(store);
  const path = at(id, 'job.json');
  const text = JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes });
  writeFileSync(path, text);
  await expect(store.read(id)).rejects.toMatchObject({
    code: 'state',
    message: expect.stringContaining(why),
    hint: expect.stringContaining(hint),
  });
  expect(readFileSync(path, 'utf8')).toBe(text);
  expect(await list(store)).toHaveLength(3);
});

test('an index of a newer version is passed over: the folders are read', async () => {
  const { store, at } = oldStore();
  const jobs = await list(store);
  const lines = readFileSync(at('index.jsonl'), 'utf8').trim().split('\n');
  const newer = lines.map((line) => `${JSON.stringify({ ...JSON.parse(line), v: 2, hosts: 'many' })}\n`);
  writeFileSync(at('index.jsonl'), newer.join(''));
  expect((await list(store)).map(({ hosts, state }) => [hosts, state])).toEqual(
    jobs.map(({ hosts, state }) => [hosts, state]),
  );
});
