/** What a controller remembers, whatever dies. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { compactVerify, importX509 } from 'jose';
import { expect, test } from 'vitest';
import { sealedRequest } from '../../src/controller/jobs/seal-request.ts';
import type { StoredEvent } from '../../src/protocol/event.ts';
import { identity } from './scripted.ts';
import { DAY_MS, dispatched, done, event, place, SETTINGS, signed } from './stored-jobs.ts';

test('a job is read back as it was told', async () => {
  const { store, make, record } = place();
  const job = await make();
  const recorder = await record(job.id);
  for (const one of [
    { type: 'job-started', at: 1, job } as const,
    dispatched('a'),
    signed('a'),
    event('a', 1),
    event('a', 2),
    dispatched('b'),
    signed('b'),
    done('a'),
  ]) {
    recorder.on(one);
  }
  expect(await store.read(job.id)).toMatchObject({
    job,
    settings: SETTINGS,
    damaged: 0,
    controller: { pid: process.pid },
  });
  const stored = await store.read(job.id);
  expect([...(stored?.asked ?? [])]).toEqual([
    ['a', 2],
    ['b', 0],
  ]);
  expect([...(stored?.results.keys() ?? [])]).toEqual(['a']);
  expect(stored?.endedAt).toBeUndefined();
  recorder.on({ type: 'job-done', at: 9, results: [], stopped: 'stopped' });
  await recorder.close({ exit: 4 });
  expect(await store.read(job.id)).toMatchObject({ endedAt: 9, stopped: 'stopped' });
  expect(await store.index.list()).toMatchObject([{ id: job.id, hosts: 2, exit: 4, counts: { changed: 1 } }]);
});

test('a request may have reached a host once it is signed, not when nothing of it has arrived for sure', async () => {
  const { store, make, record } = place();
  const job = await make(['begun', 'asked', 'away', 'left', 'running']);
  const recorder = await record(job.id);
  for (const name of ['begun', 'asked', 'away', 'left', 'running']) recorder.on(dispatched(name));
  for (const name of ['asked', 'away', 'left', 'running']) recorder.on(signed(name));
  recorder.on(done('away', 'unreachable'));
  recorder.on(done('left', 'not-started'));
  recorder.on(done('running', 'unfinished'));
  const { asked } = (await store.read(job.id)) ?? {};
  expect([...(asked?.keys() ?? [])]).toEqual(['asked', 'running']);
  await recorder.close();
});

test('a controller killed between the end of a run and its outcome asks for that end again: it made the host lost', async () => {
  const { store, make, record } = place();
  const job = await make();
  const recorder = await record(job.id);
  const told = (seq: number, rest: object) =>
    recorder.on({ type: 'host-event', at: 2, certname: 'a', event: { seq, at: 2, ...rest } as StoredEvent });
  recorder.on(dispatched('a'));
  recorder.on(event('a', 1));
  told(2, { type: 'resources', resources: [] });
  told(3, { type: 'finished', outcome: 'changed' });
  expect([...((await store.read(job.id))?.asked ?? [])]).toEqual([['a', 1]]);
  await recorder.close();
});

test('the requests are kept as they were signed: they can be verified later', async () => {
  const { dir, make, record } = place();
  const job = await make();
  const recorder = await record(job.id);
  for (const certname of ['a', 'b']) {
    const jws = await sealedRequest(job, certname, { identity, now: Date.now() });
    recorder.on({ type: 'request-signed', at: 1, certname, jws });
  }
  await recorder.close();
  const lines = readFileSync(join(dir, 'jobs', job.id, 'events.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map(({ type }) => type)).toEqual(['signer', 'request-signed', 'request-signed']);
  const [{ protected: header }, , last] = lines;
  const key = await importX509(String(identity.chain[0]), 'ES256');
  const { payload } = await compactVerify(`${header}.${last.payload}.${last.signature}`, key);
  expect(JSON.parse(new TextDecoder().decode(payload))).toMatchObject({ job: job.id, aud: 'b' });
});

test('the store is bounded by age, count and bytes; what runs is kept', async () => {
  const { dir, store, make } = place();
  const jobs = [];
  for (let i = 0; i < 6; i++) jobs.push(await make());
  const ids = jobs.map(({ id }) => id);
  writeFileSync(join(dir, 'jobs', ids[4] ?? '', 'events.jsonl'), 'x'.repeat(5000));
  const all = { maxAgeMs: 100_000 * DAY_MS, maxJobs: 100, maxBytes: 10_000 };
  const left = () =>
    readdirSync(join(dir, 'jobs'))
      .filter((name) => name !== 'index.jsonl')
      .sort();
  const nobody = async () => false;
  expect(await store.index.prune(all, { now: Date.now(), isKept: nobody })).toEqual([]);
  expect(
    await store.index.prune({ ...all, maxJobs: 4 }, { now: Date.now(), isKept: async (id) => id === ids[0] }),
  ).toEqual([ids[1], ids[2]]);
  expect(left()).toEqual([ids[0], ids[3], ids[4], ids[5]].sort());
  expect(await store.index.prune({ ...all, maxBytes: 1000 }, { now: Date.now(), isKept: nobody })).toEqual([
    ids[0],
    ids[3],
    ids[4],
  ]);
  expect((await store.index.list()).map(({ id }) => id)).toEqual([ids[5]]);
  expect(await store.index.prune({ ...all, maxAgeMs: -1 }, { now: 1e15, isKept: nobody })).toEqual([ids[5]]);
});

test('a job is found by its last digits, by all of them, and as the last one', async () => {
  const { store, make } = place();
  const [one, two] = [await make(), await make()];
  expect(await store.find(one.id.slice(-8))).toBe(one.id);
  expect(await store.find(one.id.toUpperCase())).toBe(one.id);
  expect(await store.find('last')).toBe(two.id);
  await expect(store.find('')).rejects.toThrow('find the job "": there is no such job');
  await expect(store.find('zzzz')).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('no such job'),
  });
});

test('a job of ten thousand hosts with their logs is read in pieces', async () => {
  const { dir, store, make, record } = place();
  const names = Array.from({ length: 10_000 }, (_, index) => `host${index}.example.com`);
  const job = await make(names);
  const recorder = await record(job.id);
  for (const name of names)
    for (const one of [dispatched(name), event(name, 1), event(name, 2), done(name)]) recorder.on(one);
  await recorder.close();
  expect(statSync(join(dir, 'jobs', job.id, 'events.jsonl')).size).toBeGreaterThan(4 << 20);
  expect((await store.read(job.id))?.results.size).toBe(10_000);
  mkdirSync(join(dir, 'jobs', 'not-a-job'));
  expect(await store.index.list()).toHaveLength(1);
});
