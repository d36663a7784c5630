/** Events on a disk that is full: an outcome must never stand behind half a line, where nobody reads it. */
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { allEvents } from '../../src/agent/runs/all-events.ts';
import { appendEvents, type KeptEvent, mendEvents, readEvents } from '../../src/agent/runs/event-file.ts';
import { openRunStore } from '../../src/agent/runs/run-store.ts';
import { tempFolder } from '../support/temp.ts';

const finished = { type: 'finished', outcome: 'changed', endedAt: 2, at: 2 } as const;
const log = (message: string): KeptEvent => ({ type: 'log', lines: [{ level: 'output', message }], at: 1 });

/** As a full disk does: what goes beyond so many bytes of a file is not written. */
async function withLimit<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  const limit = (soft: string) =>
    execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${soft}:unlimited`]);
  limit(String(bytes));
  try {
    return await work();
  } finally {
    limit('unlimited');
  }
}

test('appendEvents writes all of its events or none, where there is no room for all', async () => {
  const path = join(tempFolder(), 'events.ndjson');
  await appendEvents(path, [log('first')]);
  const before = readFileSync(path, 'utf8');
  const more = [log('second'), log('x'.repeat(1000))];
  await expect(withLimit(before.length + 200, () => appendEvents(path, more))).rejects.toMatchObject({
    code: 'EFBIG',
  });
  expect(readFileSync(path, 'utf8')).toBe(before);
  await appendEvents(path, [finished]);
  expect((await allEvents((offset) => readEvents(path, offset))).at(-1)).toMatchObject(finished);
});

test.each([
  ['', ''],
  ['{"a":1}\n', '{"a":1}\n'],
  ['{"a":1}\n{"b"', '{"a":1}\n'],
  ['{"b"', ''],
])('mendEvents leaves whole lines: %j', async (text, left) => {
  const path = join(tempFolder(), 'events.ndjson');
  writeFileSync(path, text);
  await mendEvents(path);
  expect(readFileSync(path, 'utf8')).toBe(left);
});

test('a run is settled with its end where its live events end in half a line', async () => {
  const folder = tempFolder();
  const [live, settled] = [join(folder, 'live'), join(folder, 'settled')];
  mkdirSync(settled);
  const runs = openRunStore(live, settled);
  const run = '01960000-0000-7000-8000-000000000001';
  const by = { user: 'root', uid: 0, host: 'puppet' };
  await runs.create({ run, boot: 'b', action: { op: 'run' }, createdAt: 1, by, job: run });
  await runs.append(run, [log('whole')]);
  appendFileSync(join(live, run, 'events.ndjson'), '{"type":"log","lines":[{"lev');
  await runs.settle(run, finished);
  const events = await allEvents((offset) => runs.events(run, offset));
  expect(events).toMatchObject([log('whole'), finished]);
});
