/** Files of lines, most of which are broken: found by the fuzzer, and counted in calls of the parser rather than in time. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { allEvents } from '../../src/agent/runs/all-events.ts';
import { eventLine, readOwnEvents } from '../../src/agent/runs/event-file.ts';
import { linesOf } from '../../src/agent/runs/output-lines.ts';
import { readIndex } from '../../src/controller/jobs/job-index-file.ts';
import { readEvents } from '../../src/controller/jobs/job-log.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { openAudit } from '../../src/web/server/audit.ts';
import { AT, UUID } from '../../tools/fuzz/decoders/samples.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';

function fileWith(text: string, name = 'file'): string {
  const { path, remove } = throwawayFolder();
  onTestFinished(remove);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, name), text);
  return join(path, name);
}

function countParses() {
  const parse = vi.spyOn(JSON, 'parse');
  onTestFinished(() => parse.mockRestore());
  return parse;
}

/** As many as fill what is read at once. */
const manyOf = (line: string) => `${line}\n`.repeat(Math.floor((255 << 10) / (line.length + 1)));

/** They begin and end as objects do, and are as long as those of any file. */
const BROKEN = `{${'x'.repeat(70)}}`;
/** More lines than an argument list has room for, and broken ones. */
const KINDS = ['', '{', '{}', '[]', 'x', BROKEN];

const EVENT = { type: 'accepted', version: '0.1.0', at: AT } as const;
const allOwn = (path: string) => allEvents((offset) => readOwnEvents(path, offset));

test.each(KINDS)('events of a request behind lines of %j: each keeps its number', async (line) => {
  const path = fileWith(`${manyOf(line)}${eventLine(EVENT)}`);
  const parse = countParses();
  const events = await allOwn(path);
  const before = manyOf(line).split('\n').length - 1;
  expect(events).toHaveLength(before + 1);
  expect(events.at(-2)).toMatchObject({ type: 'dropped', bytes: line.length, seq: before });
  expect(events.at(-1)?.seq).toBe(before + 1);
  expect(parse.mock.calls.length).toBeLessThanOrEqual(1001);
});

test('events of a newer version are passed over, however many there are', async () => {
  const newer = '{"type":"thought","at":1795838400000,"of":"x"}';
  const events = await allOwn(fileWith(`${manyOf(newer)}${eventLine(EVENT)}`));
  expect(events.at(-1)).toMatchObject({ ...EVENT, seq: events.length });
  const done = { type: 'job-done', at: AT };
  const job = await readEvents(fileWith(`${manyOf(newer)}${JSON.stringify(done)}\n`), 0);
  expect(job.events).toEqual([done]);
});

test.each(KINDS)('events of a job among lines of %j', async (line) => {
  const done = { type: 'job-done', at: AT };
  const path = fileWith(`${JSON.stringify(done)}\n${manyOf(line)}`);
  const parse = countParses();
  expect((await readEvents(path, 0)).events).toEqual([done]);
  expect(parse.mock.calls.length).toBeLessThanOrEqual(1001);
});

test.each(KINDS)('the list of jobs among lines of %j', (line) => {
  const path = fileWith(`${JSON.stringify({ id: UUID, at: AT })}\n${manyOf(line)}`);
  const parse = countParses();
  expect([...readIndex(path).jobs.keys()]).toEqual([UUID]);
  expect(parse.mock.calls.length).toBeLessThanOrEqual(1002);
});

test.each(KINDS)('the log of a run among lines of %j', (line) => {
  const record = { level: 'err', message: 'why', source: 'Puppet' };
  const parse = countParses();
  const [first, ...others] = linesOf('log', Buffer.from(`${JSON.stringify(record)}\n${manyOf(line)}`));
  expect(first).toEqual(record);
  expect(others.every(({ level }) => level === 'output')).toBe(true);
  expect(parse.mock.calls.length).toBeLessThanOrEqual(1001);
});

test('the audit behind broken lines', async () => {
  const path = fileWith(manyOf(BROKEN), 'audit.jsonl');
  const audit = await openAudit(join(path, '..'), { clock: systemClock, log: silentLog });
  const parse = countParses();
  expect((await audit.page({ limit: 50 })).lines).toEqual([]);
  expect(parse.mock.calls.length).toBeLessThanOrEqual(1000);
});
