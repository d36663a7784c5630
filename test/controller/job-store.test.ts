/** What a controller remembers, whatever dies and whatever is damaged. */
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { compactVerify, importX509 } from 'jose';
import { expect, test } from 'vitest';
import type { JobEvent } from '../../src/controller/jobs/job.ts';
import { openJobStore } from '../../src/controller/jobs/job-store.ts';
import type { Lease } from '../../src/controller/jobs/lease.ts';
import { sealedRequest } from '../../src/controller/jobs/seal-request.ts';
import type { Before, JobSettings } from '../../src/controller/jobs/stored-job.ts';
import type { StoredEvent } from '../../src/protocol/event.ts';
import type { Outcome } from '../../src/protocol/outcome.ts';
import { systemClock } from '../../src/util/clock.ts';
import { uuidv7 } from '../../src/util/uuid.ts';
import { tempFolder } from '../support/temp.ts';
import { identity, jobOf } from './scripted.ts';

const SETTINGS: JobSettings = { lostAfterMs: 1, connectTimeoutMs: 1, accept: [], version: '1' };
const never = (why: string): void => expect.unreachable(why);
const DAY_MS = 86_400_000;

function place() {
  const dir = tempFolder();
  const store = openJobStore(dir, systemClock);
  const leases = new Map<string, Lease>();
  let at = 1_700_000_000_000;
  const make = async (names = ['a', 'b'], more: object = {}) => {
    at += 1000;
    const job = { ...jobOf(names), id: uuidv7(at), ...more };
    leases.set(job.id, await store.create(job, SETTINGS));
    return job;
  };
  const record = (id: string, onTrouble = never, known?: Before) => {
    const lease = leases.get(id);
    if (lease === undefined) throw new Error('not made here');
    return store.recorder(id, { lease, onTrouble, known });
  };
  return { dir, store, make, record };
}

const dispatched = (certname: string): JobEvent => ({ type: 'host-dispatched', at: 1, certname });
const signed = (certname: string): JobEvent => ({
  ...{ type: 'request-signed', at: 1, certname },
  jws: Buffer.from(JSON.stringify({ protected: 'h', payload: certname, signature: 's' })),
});
const event = (certname: string, seq: number): JobEvent => ({
  ...{ type: 'host-event', at: 2, certname },
  event: { type: 'log', seq, at: 2, lines: [{ level: 'notice', message: 'x' }] },
});
const done = (certname: string, outcome: Outcome = 'changed'): JobEvent => ({
  ...{ type: 'host-done', at: 3 },
  result: { certname, outcome, endedAt: 3 },
});

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
  expect(await store.index.prune(all, Date.now(), nobody)).toEqual([]);
  expect(await store.index.prune({ ...all, maxJobs: 4 }, Date.now(), async (id) => id === ids[0])).toEqual([
    ids[1],
    ids[2],
  ]);
  expect(left()).toEqual([ids[0], ids[3], ids[4], ids[5]].sort());
  expect(await store.index.prune({ ...all, maxBytes: 1000 }, Date.now(), nobody)).toEqual([
    ids[0],
    ids[3],
    ids[4],
  ]);
  expect((await store.index.list()).map(({ id }) => id)).toEqual([ids[5]]);
  expect(await store.index.prune({ ...all, maxAgeMs: -1 }, 1e15, nobody)).toEqual([ids[5]]);
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

test('a job is found by its last digits, by all of them, and as the last one', async () => {
  const { store, make } = place();
  const [one, two] = [await make(), await make()];
  expect(await store.find(one.id.slice(-8))).toBe(one.id);
  expect(await store.find(one.id.toUpperCase())).toBe(one.id);
  expect(await store.find('last')).toBe(two.id);
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
