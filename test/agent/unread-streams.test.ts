/** Streams of events whose readers read nothing: a controller may have 256 of them, and the agent's memory is not theirs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createNotifier } from '../../src/agent/requests/notifier.ts';
import { createRequestLog } from '../../src/agent/requests/request-log.ts';
import { recordOf } from '../../src/agent/requests/request-record.ts';
import { openRequestStore } from '../../src/agent/requests/request-store.ts';
import { appendEvents, type KeptEvent, readEvents } from '../../src/agent/runs/event-file.ts';
import { openRunStore } from '../../src/agent/runs/run-store.ts';
import type { Event } from '../../src/protocol/event.ts';
import type { RunRequest } from '../../src/protocol/request.ts';
import { systemClock as clock } from '../../src/util/clock.ts';
import { heapInUse } from '../support/heap.ts';
import { tempFolder } from '../support/temp.ts';
import { requestOf } from './harness.ts';

const STREAMS = 100;
const MOST_BYTES_EACH = 128 << 10;

const line = (message: string, count = 1): Event => ({
  type: 'log',
  lines: Array.from({ length: count }, () => ({ level: 'output', message })),
});

/** A megabyte of events, of a request that is over. */
async function longRequest() {
  const folder = tempFolder();
  const at = (name: string) => join(folder, name);
  for (const name of ['requests', 'live', 'runs']) mkdirSync(at(name));
  const requests = openRequestStore(at('requests'));
  const runs = openRunStore(at('live'), at('runs'));
  const record = recordOf(requestOf() as RunRequest, clock);
  await requests.create(record, { type: 'accepted', version: '0.2.0' });
  const requestLog = createRequestLog({ requests, runs, notifier: createNotifier(), clock });
  const events = Array.from({ length: 8000 }, (_, number) => line(`line ${number}${'.'.repeat(40)}`));
  await requestLog.append(record.name, [...events, { type: 'finished', outcome: 'changed', endedAt: 1 }]);
  const { signal } = new AbortController();
  const path = join(at('requests'), record.name, 'events.ndjson');
  return { events, path, stream: () => requestLog.stream(record.name, 0, signal) };
}

test('a stream that nobody reads takes tens of kilobytes, and is whole when it is read', async () => {
  const { events, stream } = await longRequest();
  const open = async () => {
    const one = stream();
    await one.next();
    return one;
  };
  await open();
  const before = heapInUse();
  const streams = await Promise.all(Array.from({ length: STREAMS }, open));
  expect((heapInUse() - before) / STREAMS).toBeLessThan(MOST_BYTES_EACH);
  const read: unknown[] = [];
  for await (const event of streams[0] ?? []) read.push(event);
  expect(read.slice(0, -1)).toMatchObject(events);
  expect(read.at(-1)).toMatchObject({ type: 'finished' });
});

test('a damaged line keeps its number wherever a reader has got to', async () => {
  const { events, path, stream } = await longRequest();
  const lines = readFileSync(path, 'latin1').split('\n');
  // More of them on end than are read at once.
  const damaged = lines.map((text, index) => (index % 800 >= 400 ? `x${text.slice(1)}` : text));
  writeFileSync(path, damaged.join('\n'));
  const numbers: number[] = [];
  for await (const { seq } of stream()) numbers.push(seq);
  expect(numbers).toEqual(Array.from({ length: events.length + 2 }, (_, index) => index + 1));
});

test('readEvents reads no more than it is told, but at least one event', async () => {
  const path = join(tempFolder(), 'events.ndjson');
  const events: KeptEvent[] = ['a', 'b', 'long', 'c'].map((one, at) => ({
    ...line(one.repeat(10), one === 'long' ? 500 : 1),
    at,
  }));
  await appendEvents(path, events);
  const counts: number[] = [];
  for (let offset = 0; ; ) {
    const chunk = await readEvents(path, offset, 200);
    if (chunk.events.length === 0) break;
    expect(chunk.events).toEqual(events.splice(0, chunk.events.length));
    counts.push(chunk.events.length);
    offset = chunk.offset;
  }
  expect(counts).toEqual([2, 2]);
});
