/** What a key remembers when its work fails: a job that has begun is never begun again. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openIdempotency } from '../../src/web/server/http/idempotency.ts';
import { tempFolder } from '../support/temp.ts';

const clock = { now: () => Date.now(), monotonic: () => 0 };
const log = pino({ level: 'silent' });
const ASKED = { caller: 'alice', key: 'release-42', request: '{}' };

/** Work whose job begins, if it does, and which then fails. */
async function failing(hasBegun: boolean, dir = join(tempFolder(), 'keys')) {
  const open = () => openIdempotency(dir, { clock, log, isThere: async () => hasBegun });
  let times = 0;
  const work = async (begins: (answer: { job: string }) => Promise<void>) => {
    times += 1;
    await begins({ job: `job ${times}` });
    throw new Error('the answer cannot be made');
  };
  return { open, work, times: () => times };
}

test('a job that began before its request failed is the answer to the same key, also of the next server', async () => {
  const { open, work, times } = await failing(true);
  const server = await open();
  await expect(server.once(ASKED, work)).rejects.toThrow('cannot be made');
  expect(await server.once<unknown>(ASKED, work)).toEqual({ job: 'job 1' });
  expect(await (await open()).once<unknown>(ASKED, work)).toEqual({ job: 'job 1' });
  expect(times()).toBe(1);
});

test('a key whose answer is damaged begins nothing again: it is refused', async () => {
  const dir = join(tempFolder(), 'keys');
  const { open, work, times } = await failing(true, dir);
  await expect((await open()).once(ASKED, work)).rejects.toThrow('cannot be made');
  const [name = ''] = readdirSync(dir);
  const path = join(dir, name);
  const whole = readFileSync(path, 'utf8');
  for (const damaged of ['', '{', whole.replace('job 1', 'job 2'), whole.replace('"at":1', '"at":2')]) {
    writeFileSync(path, damaged);
    await expect((await open()).once(ASKED, work)).rejects.toMatchObject({
      code: 'state',
      hint: 'see kick jobs; then ask with another key',
    });
  }
  expect(times()).toBe(1);
});

test('what never began may be tried again', async () => {
  const { open, work, times } = await failing(false);
  const server = await open();
  for (const _ of [1, 2]) await expect(server.once(ASKED, work)).rejects.toThrow('cannot be made');
  expect(times()).toBe(2);
});

test('where nothing can be written it is remembered as long as the server lives', async () => {
  const dir = join(tempFolder(), 'keys');
  writeFileSync(dir, 'in the place of the folder');
  const { open, work, times } = await failing(true, dir);
  const server = await open();
  await expect(server.once(ASKED, work)).rejects.toThrow('cannot be made');
  expect(await server.once<unknown>(ASKED, work)).toEqual({ job: 'job 1' });
  expect(times()).toBe(1);
});
