/** No stream that ends without an outcome keeps a controller for ever, however an agent ends it; by the clock of the test. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runJob } from '../../src/controller/rollout/run-job.ts';
import type { RefusalCode } from '../../src/protocol/refusal.ts';
import type { IncomingEvent } from '../../src/transport/transport.ts';
import { sleep, systemClock } from '../../src/util/clock.ts';
import {
  accepted,
  failure,
  finished,
  identity,
  jobOf,
  only,
  refusal,
  run,
  type Script,
  type Step,
  scripted,
  started,
} from './scripted.ts';

const MINUTE = 60_000;
const LOST_AFTER = 10 * MINUTE;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** How it ended for the host, and after how many milliseconds. */
async function endOf(script: Script) {
  const from = performance.now();
  let isOver = false;
  const done = run({ a: script }, { lostAfterMs: LOST_AFTER }).finally(() => {
    isOver = true;
  });
  while (!isOver) await vi.advanceTimersByTimeAsync(1000);
  const { calls } = await done;
  return { result: only(await done), ms: performance.now() - from, calls };
}

const alive: IncomingEvent = { type: 'alive' };
const log = (seq: number): IncomingEvent => ({
  ...{ type: 'log', seq, at: 1 },
  lines: [{ level: 'notice', message: `line ${seq}` }],
});
const broken = failure('broken', true);

/** A sign of life every 15 s. */
const held = (ms: number): Step =>
  Array.from({ length: Math.floor(ms / 15_000) }, () => [() => sleep(15_000), alive]).flat();

/** What it was until a certain try, then always the other. */
function afterwards(first: Step, then: (round: number, after: number) => Step): Script {
  let round = 0;
  return (_kind, after) => (round++ === 0 ? first : then(round, after));
}

const begun: Step = [accepted, started(2), log(3), log(4)];

test.each<[string, Script]>([
  ['ends them empty', afterwards(begun, () => [])],
  ['ends all of them empty, the first one too', () => []],
  ['ends them after a sign of life', afterwards(begun, () => [alive])],
  ['ends them after what is known', afterwards(begun, () => begun)],
  ['ends them after one more event each', afterwards(begun, (round) => [log(round + 10)])],
  ['breaks them after one more event each', afterwards(begun, (round) => [log(round + 10), broken])],
  ['breaks them after a sign of life', afterwards(begun, () => [alive, broken])],
  [
    'ends and breaks them in turn',
    afterwards(begun, (round) => (round % 2 === 0 ? [alive] : [alive, broken])),
  ],
  ['says garbage', afterwards(begun, () => [failure('garbage', true)])],
  ['meets errors of its own', afterwards(begun, () => [refusal('internal')])],
  ['is always about to stop', afterwards(begun, () => [refusal('stopping')])],
  ['accepts and forgets', (kind) => (kind === 'submit' ? [accepted] : [refusal('unknown-job')])],
])('an agent that %s: the host is lost by --lost-after', async (_what, script) => {
  const { result, ms } = await endOf(script);
  expect(result?.outcome).toBe('lost');
  // To the second in which the test looks.
  expect(ms).toBeLessThanOrEqual(LOST_AFTER + 1000);
});

test('an agent that knows the job and tells no end of it: the host is lost much sooner', async () => {
  const { result, ms, calls } = await endOf(afterwards(begun, () => []));
  expect(result?.message).toBe('the agent ended the stream without an outcome, 7 times');
  expect(ms).toBeLessThan(MINUTE);
  // Whether it counts anew is asked, too.
  expect(calls).toContain('a resume 0');
});

test('an agent that ends each stream after a while comes to an end as well', async () => {
  const { result } = await endOf(afterwards(begun, () => held(2 * MINUTE)));
  expect(result).toMatchObject({ outcome: 'lost', message: expect.stringContaining('100 times') });
});

// ---------------------------------------------------------------- what is no reason to give a host up

test.each<[string, Step]>([
  ['breaks every minute', [...held(MINUTE), broken]],
  ['is silent after half a minute', [...held(MINUTE / 2), broken]],
])('a run of three hours is waited for though the connection %s', async (_what, step) => {
  const until = performance.now() + 180 * MINUTE;
  const script = afterwards([...begun, broken], () => (performance.now() < until ? step : [finished(99)]));
  expect((await endOf(script)).result?.outcome).toBe('changed');
});

test('an agent that is restarted again and again within its time is waited for', async () => {
  const restart: Step[] = [
    [failure('connection-refused')],
    [failure('connection-refused')],
    held(6 * MINUTE),
  ];
  const steps = [begun, ...restart, ...restart, ...restart, [failure('connection-refused')], [finished(99)]];
  const { result } = await endOf(() => steps.shift() ?? []);
  expect(result?.outcome).toBe('changed');
});

test('a host that restarts for nine minutes is waited for', async () => {
  const until = performance.now() + 9 * MINUTE;
  const script = afterwards([...begun, broken], () =>
    performance.now() < until ? [failure('no-answer')] : [finished(99, { outcome: 'interrupted' })],
  );
  expect((await endOf(script)).result?.outcome).toBe('interrupted');
});

// ---------------------------------------------------------------- agents that count anew, or have forgotten

test('an agent of an earlier version, which counts anew after a reboot: its end is taken, and soon', async () => {
  const told = [accepted, finished(2, { outcome: 'interrupted' })];
  const { result, ms, calls } = await endOf(
    afterwards([...begun, broken], (_round, after) =>
      told.filter((event) => 'seq' in event && event.seq > after),
    ),
  );
  expect(result?.outcome).toBe('interrupted');
  expect(calls).toEqual(['a submit 0', 'a resume 4', 'a resume 0']);
  expect(ms).toBeLessThan(5000);
});

test('an end is one whatever its number', async () => {
  const { result } = await endOf(afterwards([...begun, broken], () => [finished(2)]));
  expect(result?.outcome).toBe('changed');
});

test('an agent that has forgotten a request which waited is asked again, and counts from 1', async () => {
  let submits = 0;
  const { result, calls } = await endOf((kind) => {
    if (kind === 'resume') return [refusal('unknown-job')];
    return ++submits === 1 ? [accepted, broken] : [accepted, started(2), finished(3)];
  });
  expect(result?.outcome).toBe('changed');
  expect(calls).toEqual(['a submit 0', 'a resume 1', 'a submit 0']);
});

test('an agent that has forgotten a run is not asked to run again: how it ended is not known', async () => {
  const { result, calls } = await endOf(afterwards([...begun, broken], () => [refusal('unknown-job')]));
  expect(result).toMatchObject({ outcome: 'lost', message: expect.stringContaining('no longer knows') });
  expect(calls).toEqual(['a submit 0', 'a resume 4']);
});

test('a job that was accepted and is no longer kept is lost, not refused', async () => {
  const { result } = await endOf(afterwards([...begun, broken], () => [refusal('gone')]));
  expect(result).toMatchObject({ outcome: 'lost', message: expect.stringContaining('no longer kept') });
});

test.each<RefusalCode>(['no-space', 'policy', 'clock-skew', 'queue-full'])(
  'what an agent has accepted and forgotten is not "%s", whatever it says to the second request',
  async (code) => {
    let submits = 0;
    const { result } = await endOf((kind) => {
      if (kind === 'resume') return [refusal('unknown-job')];
      return ++submits === 1 ? [accepted, broken] : [refusal(code)];
    });
    expect(result?.outcome).toBe('lost');
  },
);

test('an agent that sends more than any run makes is lost at once, and nothing more is read of it', async () => {
  const { result, calls } = await endOf(() => [accepted, failure('too-much', true)]);
  expect(result).toMatchObject({ outcome: 'lost', failure: 'too-much' });
  expect(calls).toEqual(['a submit 0']);
});

test('one budget is handed to every connection of a host', async () => {
  const budgets = new Set<unknown>();
  const { sender } = scripted({ a: afterwards([accepted, broken], () => [finished(2)]) });
  const noting: typeof sender = {
    ...sender,
    submit(target, body, options) {
      budgets.add(options.budget);
      return sender.submit(target, body, options);
    },
    resume(target, options) {
      budgets.add(options.budget);
      return sender.resume(target, options);
    },
  };
  let isOver = false;
  const done = runJob(jobOf(['a']), {
    caller: async () => ({ sender: noting, identity }),
    ...{ clock: systemClock, emit() {}, lostAfterMs: LOST_AFTER },
    signal: new AbortController().signal,
  }).finally(() => {
    isOver = true;
  });
  while (!isOver) await vi.advanceTimersByTimeAsync(1000);
  await done;
  expect([...budgets]).toEqual([expect.objectContaining({ bytes: 32 << 20, events: 200_000 })]);
});
