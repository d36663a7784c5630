/** A job's page may be a moment old, but not once people have heard that the job is over. */
import { expect, test } from 'vitest';
import type { StoredJob } from '../../src/controller/jobs/stored-job.ts';
import { openRecentJobs } from '../../src/web/server/jobs/recent-jobs.ts';

test('a reading is good for a while in proportion to what it took; one that is forgotten is made anew', async () => {
  let [now, readings] = [0, 0];
  const controller = {
    clock: { now: () => now, monotonic: () => now },
    job: async () => {
      readings += 1;
      now += 100;
      return { startedAt: readings } as StoredJob;
    },
  };
  const recent = openRecentJobs(controller, () => true);
  const id = '0199e9a0-0000-7000-8000-000000000001';
  const reading = async () => (await recent.read(id)).startedAt;
  expect(await reading()).toBe(1);
  now += 799;
  expect(await reading()).toBe(1);
  now += 2;
  expect(await reading()).toBe(2);
  recent.forget(id);
  expect(await reading()).toBe(3);
});

test('a job that begins or ends here is read anew, and the last job always', async () => {
  let [readings, isHere] = [0, true];
  const controller = {
    clock: { now: () => 0, monotonic: () => 0 },
    job: async () => ({ startedAt: ++readings }) as StoredJob,
  };
  const recent = openRecentJobs(controller, () => isHere);
  await recent.read('a');
  isHere = false;
  await recent.read('a');
  await recent.read('last');
  await recent.read('last');
  expect(readings).toBe(4);
});
