/** What does not fit is cut or left out, and all the rest arrives. */
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  decodeEvent,
  EventSchema,
  encodeEvent,
  MAX_EVENT_BYTES,
  type StoredEvent,
  StoredEventSchema,
} from '../../src/protocol/event.ts';
import { StatusSchema } from '../../src/protocol/status.ts';
import { count } from '../../src/util/bounds.ts';
import { fitTo } from '../../src/util/fit.ts';

const finished = (changes: object) => ({
  ...{ type: 'finished', seq: 1, at: 1, outcome: 'changed', endedAt: 1_795_000_000_000, ...changes },
});
const holder = { pid: 1, what: 'puppet agent' };

describe('an event that a report, a process or a clock has made too large', () => {
  test.each<[string, object, object]>([
    [
      'a count that JSON cannot write',
      { facts: { resources: { total: Infinity, changed: 2 } } },
      { facts: { resources: { changed: 2 } } },
    ],
    [
      'a count that is no number',
      { facts: { resources: { total: Number.NaN } } },
      { facts: { resources: {} } },
    ],
    [
      'a command of 276 characters',
      { holder: { ...holder, command: 'x'.repeat(276) } },
      { holder: { ...holder, command: 'x'.repeat(200) } },
    ],
    ['a time that no Date can hold', { endedAt: 1e300 }, { endedAt: Date.parse('9999-12-31T23:59:59.999Z') }],
    ['an exit status below zero', { exit: -1 }, { exit: 0 }],
    ['a message of a megabyte', { message: 'é'.repeat(1 << 20) }, { message: 'é'.repeat(2048) }],
    ['a pair of surrogates at the end', { message: `${'x'.repeat(2047)}😀` }, { message: 'x'.repeat(2047) }],
  ])('%s', (_what, changes, expected) => {
    const fitted = fitTo(StoredEventSchema, finished(changes));
    expect(fitted).toEqual({ ...finished({}), ...expected });
    expect(decodeEvent(Buffer.from(encodeEvent(fitted as StoredEvent)))).toEqual(fitted);
  });
});

test('whatever stands in the fields of an outcome, it is readable by a controller, and its outcome is kept', () => {
  const wild = fc.oneof(
    fc.string({ maxLength: 5000 }),
    fc.double(),
    fc.constant(undefined),
    fc.array(fc.string()),
    fc.object(),
  );
  const names = ['run', 'startedAt', 'exit', 'message', 'holder', 'error', 'facts'];
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...names), wild), (changes) => {
      const fitted = fitTo(StoredEventSchema, finished(changes));
      expect(fitted).toMatchObject({ type: 'finished', outcome: 'changed' });
      expect(decodeEvent(Buffer.from(encodeEvent(fitted as StoredEvent)))).toMatchObject({
        outcome: 'changed',
      });
    }),
  );
});

test('a list that is too long is cut, and what fits is returned as it is', () => {
  const status = { certname: 'a', version: '1', runner: 'command', time: 1, uptime: 1, waiting: 0 };
  expect(fitTo(StatusSchema, status)).toEqual(status);
  const fitted = fitTo(StatusSchema, { ...status, classes: Array(10_001).fill('c') });
  expect(fitted?.classes).toHaveLength(10_000);
});

const CONTROLS = '\u0001'.repeat(100_000);

test.each<[string, object]>([
  [
    'texts that JSON makes six times as long',
    { message: CONTROLS, error: { message: CONTROLS, file: CONTROLS } },
  ],
  [
    'many counts',
    { facts: { resources: Object.fromEntries([...Array(5000).keys()].map((n) => [`n${n}`, n])) } },
  ],
  [
    'a holder of which everything is long',
    { holder: { what: CONTROLS, command: CONTROLS, by: CONTROLS, stuck: CONTROLS, next: CONTROLS } },
  ],
])('an outcome of too many bytes keeps what matters: %s', (_what, changes) => {
  const fitted = fitTo(StoredEventSchema, finished(changes), { maxBytes: MAX_EVENT_BYTES });
  const line = Buffer.from(encodeEvent(fitted as StoredEvent));
  expect(line.byteLength).toBeLessThanOrEqual(MAX_EVENT_BYTES + 1);
  expect(decodeEvent(line.subarray(0, -1))).toMatchObject(finished({}));
});

test('a list of too many bytes is cut, one of a single long text within it', () => {
  const list = v.object({ list: v.array(v.string()) });
  const short = (n: number) => Array<string>(n).fill('x'.repeat(50));
  expect(fitTo(list, { list: short(1000) }, { maxBytes: 6000 })?.list).toEqual(short(62));
  const long = fitTo(list, { list: ['a', 'x'.repeat(4000), 'b'] }, { maxBytes: 3000 });
  expect(long?.list.map((text) => text.length)).toEqual([1, 2000, 1]);
  expect(fitTo(list, { list: ['a', 'b'] }, { maxBytes: 5 })).toBeUndefined();
});

test('numbers that should be whole are rounded, at the ends of their range too', () => {
  const whole = (value: unknown) => fitTo(v.object({ n: v.optional(count) }), { n: value })?.n;
  expect([1.4, -0.4, -7, 1e300, 2 ** 53].map(whole)).toEqual([1, 0, 0, ...Array(2).fill(2 ** 53 - 1)]);
  expect([Number.NaN, Infinity, '7', null].map(whole)).toEqual([
    undefined,
    2 ** 53 - 1,
    undefined,
    undefined,
  ]);
});

test('what cannot be made to fit is undefined', () => {
  expect(fitTo(EventSchema, { type: 'no such event' })).toBeUndefined();
  expect(fitTo(v.object({ must: v.string() }), {})).toBeUndefined();
});
