/**
 * DESIGN 8, "What is kept": whatever becomes of the files of a job, the others are listed and shown, the damaged one is named,
 * and every refusal says what cannot be read. Each file is damaged in every way, each in a job of its own.
 */
import { readdirSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { findJobs } from '../../src/controller/find-jobs.ts';
import { readHostLog } from '../../src/controller/host-log.ts';
import { type JobStore, openJobStore } from '../../src/controller/jobs/job-store.ts';
import { storedJob } from '../../src/controller/jobs/read-job.ts';
import { KickError } from '../../src/errors.ts';
import { systemClock } from '../../src/util/clock.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';
import { damages } from '../support/damages.ts';
import { dispatched, done, event, place, signed } from './stored-jobs.ts';

const SEED = Number(process.env['KICK_TEST_SEED'] ?? 1);
let counted = 0;
afterAll(() =>
  console.log(`${counted} stored files of a controller damaged, each in its own way (seed ${SEED})`),
);

function elsewhere(parent: string): string {
  const folder = throwawayFolder({ prefix: 'k-', parent });
  onTestFinished(folder.remove);
  return folder.path;
}

/** Anything else that is thrown is an error of kick itself, exit code 70. */
async function plainly<T>(work: () => Promise<T>): Promise<T | KickError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof KickError) return error;
    throw error;
  }
}

/** As by `kick jobs resume`: whatever goes wrong with its record, the job can go on. */
async function resumed(store: JobStore, id: string): Promise<void> {
  const lease = await plainly(() => store.take(id));
  if (!('lost' in lease)) return;
  const recorder = await store.recorder(id, { lease, onTrouble() {} }).catch(() => undefined);
  recorder?.on(done('b'));
  await recorder?.close();
  lease.release();
}

test.each([
  ['job.json', true],
  ['events.jsonl', true],
  ['lease.1.json', false],
  ['stop.json', false],
  ['', true],
])('a job whose %j is damaged is named, and loses no other', async (file, isNeeded) => {
  const { dir, store, make, record, release } = place();
  const over = async () => {
    const job = await make(['a', 'b']);
    const recorder = await record(job.id);
    for (const one of [signed('a'), dispatched('a'), event('a', 1), done('a')]) recorder.on(one);
    recorder.on({ type: 'job-done', at: 9, results: [] });
    await recorder.close({ exit: 0 });
    release(job.id);
    return job.id;
  };
  const good = await over();
  const damaged: { id: string; what: string; isTotal: boolean }[] = [];
  for (const { what, isTotal, apply } of damages(elsewhere(dir), { seed: SEED, hugeBytes: 16 << 20 })) {
    // A folder has no bytes to damage.
    if (file === '' && !/^(missing|a (pipe|socket|link))/.test(what)) continue;
    const id = await over();
    const path = join(dir, 'jobs', id, file);
    if (file === 'stop.json') await store.order(id, { at: 1, by: 'me', cancel: true });
    apply(path);
    damaged.push({ id, what, isTotal });
    counted += 1;
  }
  const last = await over();
  for (const index of [true, false]) {
    if (!index) rmSync(join(dir, 'jobs', 'index.jsonl'));
    const fresh = openJobStore(dir, systemClock);
    const listed = await findJobs(fresh, {}, 0);
    const states = new Map(listed.map(({ id, state }) => [id, state]));
    for (const id of [good, last]) expect(states.get(id)).toBe('done');
    for (const { id, what, isTotal } of damaged) {
      if (file === '' && what === 'missing') continue;
      expect(states.has(id), what).toBe(true);
      if (isTotal && file === 'job.json') expect(states.get(id), what).toBe('damaged');
    }
  }
  for (const { id, what, isTotal } of damaged) {
    const read = await plainly(() => storedJob(store, id));
    if (file === 'job.json' && isTotal)
      expect(read, what).toMatchObject({ code: 'state', message: expect.stringContaining(id) });
    if (!isNeeded) expect(read, what).toHaveProperty('job');
    await plainly(() => readHostLog(store, id, 'a'));
    await store.ordered(id);
    await resumed(store, id);
    await plainly(() => store.order(id, { at: 1, by: 'me', cancel: false }));
  }
  expect(await store.read(good)).toMatchObject({ damaged: 0 });
  const gone = await store.index.prune(
    { maxAgeMs: 0, maxJobs: 0, maxBytes: 0 },
    { now: Date.now(), isKept: async () => false },
  );
  expect(gone).toHaveLength(damaged.length + 2 - (file === '' ? 1 : 0));
  expect(readdirSync(join(dir, 'jobs')).filter((name) => !name.includes('index'))).toEqual([]);
});

test('a record with a hole of a terabyte is shown, and takes no room from other jobs', async () => {
  const { dir, make, record, release } = place();
  const [first, damaged] = [await make(), await make()];
  for (const { id } of [first, damaged]) {
    const recorder = await record(id);
    for (const one of [signed('a'), dispatched('a'), done('a')]) recorder.on(one);
    await recorder.close({ exit: 0 });
    release(id);
  }
  truncateSync(join(dir, 'jobs', damaged.id, 'events.jsonl'), 2 ** 40);
  rmSync(join(dir, 'jobs', 'index.jsonl'));
  const fresh = openJobStore(dir, systemClock);
  expect(await findJobs(fresh, {}, 0)).toHaveLength(2);
  expect(await storedJob(fresh, damaged.id)).toMatchObject({ damaged: 1 });
  const now = { now: Date.now(), isKept: async () => false };
  expect(await fresh.index.prune({ maxAgeMs: 1e12, maxJobs: 10, maxBytes: 1 << 20 }, now)).toEqual([]);
});

test('an index that is damaged in every way is made again', async () => {
  const folder = elsewhere(place().dir);
  for (const { what, apply } of damages(folder, { seed: SEED })) {
    const { dir, make } = place();
    const index = join(dir, 'jobs', 'index.jsonl');
    await make();
    apply(index);
    const store = openJobStore(dir, systemClock);
    const before = (await store.index.list()).length;
    const job = await make();
    const listed = await store.index.list();
    expect(
      listed.map(({ hosts }) => hosts),
      what,
    ).toEqual(Array.from({ length: before + 1 }, () => 2));
    expect(listed.at(-1)?.id, what).toBe(job.id);
    counted += 1;
  }
});
