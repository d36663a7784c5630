/** Batches, budgets, the window and its back-pressure, retries, stops, and going on after a death. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { HostResult, JobEvent, Rollout } from '../../src/controller/jobs/job.ts';
import { judgeJob } from '../../src/controller/jobs/verdict.ts';
import { createBackPressure, turnedAway } from '../../src/controller/rollout/back-pressure.ts';
import { batchesOf } from '../../src/controller/rollout/batches.ts';
import { runJob } from '../../src/controller/rollout/run-job.ts';
import { sleep, systemClock } from '../../src/util/clock.ts';
import { createPlaces } from '../../src/util/semaphore.ts';
import type { Share } from '../../src/util/share.ts';
import { clip } from '../../src/util/text.ts';
import {
  accepted,
  barrier,
  failure,
  finished,
  identity,
  jobOf,
  ownTimers,
  run,
  type Script,
  scripted,
  started,
  target,
} from './scripted.ts';

const good: Script = () => [accepted, started(), finished()];
const bad: Script = () => [accepted, started(), finished(3, { outcome: 'failed' })];
const away: Script = () => [failure('connection-refused')];

const hosts = (count: number, scripts: Record<number, Script> = {}, other: Script = good) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`h${index}`, scripts[index] ?? other]));
const outcomesOf = ({ results }: { results: HostResult[] }) => results.map(({ outcome }) => outcome);
const count = (all: readonly string[], one: string) => all.filter((outcome) => outcome === one).length;

// ---------------------------------------------------------------- batches

test('batchesOf puts each host in exactly one batch, in order, of the sizes that were said', () => {
  const share = fc.record<Share>({
    count: fc.integer({ min: 1, max: 100 }),
    unit: fc.constantFrom('hosts', 'percent'),
  });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.array(share, { maxLength: 4 }),
      fc.nat(3),
      (total, batches, canary) => {
        const targets = Array.from({ length: total }, (_, index) => target(`h${index}`));
        const planned = batchesOf(targets, { batches, canary });
        expect(planned.flatMap((batch) => batch.targets)).toEqual(targets);
        expect(planned.every((batch) => batch.targets.length > 0)).toBe(true);
        expect(planned.map(({ isCanary }) => isCanary)).toEqual(
          planned.map((_, index) => canary > 0 && index === 0),
        );
      },
    ),
  );
});

test.each<[Rollout, number[]]>([
  [{}, [10]],
  [
    {
      batches: [
        { count: 1, unit: 'hosts' },
        { count: 10, unit: 'percent' },
        { count: 50, unit: 'percent' },
      ],
    },
    [1, 1, 5, 3],
  ],
  [{ batches: [{ count: 4, unit: 'hosts' }] }, [4, 4, 2]],
  [{ canary: 2, batches: [{ count: 30, unit: 'percent' }] }, [2, 3, 3, 2]],
])('%j of ten hosts is batches of %j', (rollout, sizes) => {
  const targets = Array.from({ length: 10 }, (_, index) => target(`h${index}`));
  expect(batchesOf(targets, rollout).map((batch) => batch.targets.length)).toEqual(sizes);
});

test('a batch begins when the one before is over, after the pause', async () => {
  ownTimers();
  const order: string[] = [];
  const done = await run(hosts(4), {
    rollout: { batches: [{ count: 2, unit: 'hosts' }], pauseMs: 60_000 },
    emit(event) {
      if (event.type === 'host-dispatched' || event.type === 'host-done') order.push(event.type);
      if (event.type === 'batch' || event.type === 'pause') order.push(event.type);
      if (event.type === 'pause') {
        setImmediate(() => {
          order.push('a minute');
          vi.advanceTimersByTime(60_000);
        });
      }
    },
  });
  expect(outcomesOf(done)).toEqual(['changed', 'changed', 'changed', 'changed']);
  const half = ['host-dispatched', 'host-dispatched', 'host-done', 'host-done'];
  expect(order).toEqual(['batch', ...half, 'pause', 'a minute', 'batch', ...half]);
});

test('--confirm asks between batches, and no is the end', async () => {
  const asked: string[] = [];
  const done = await run(hosts(3), {
    rollout: { batches: [{ count: 1, unit: 'hosts' }], confirm: true },
    confirm: async (question) => {
      asked.push(question);
      return asked.length < 2;
    },
  });
  expect(asked).toEqual(['Batch 1 of 3 is over. Go on?', 'Batch 2 of 3 is over. Go on?']);
  expect(outcomesOf(done)).toEqual(['changed', 'changed', 'not-started']);
  expect(done.stopped).toBe('declined');
});

// ---------------------------------------------------------------- budgets

test('a canary that is not perfect stops the rollout, whatever stands against it', async () => {
  for (const script of [bad, away]) {
    const done = await run(hosts(5, { 1: script }), { rollout: { canary: 2 } });
    expect(count(outcomesOf(done), 'not-started')).toBe(3);
    expect(done.stopped).toBe('canary');
  }
});

test('--max-failures stops new hosts when it is exceeded; running ones finish', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const slow: Script = () => [accepted, started(), held, finished()];
  const done = await run(hosts(6, { 0: slow, 1: bad, 2: bad }), {
    concurrency: 2,
    rollout: { maxFailures: { count: 1, unit: 'hosts' } },
    emit: (event) => event.type === 'stopping' && release(),
  });
  expect(outcomesOf(done)).toEqual([
    'changed',
    'failed',
    'failed',
    'not-started',
    'not-started',
    'not-started',
  ]);
  expect(done.stopped).toBe('max-failures');
});

test('--max-failures counts lost hosts, and neither unreachable nor busy ones', async () => {
  const lost: Script = (kind) =>
    kind === 'submit' ? [accepted, failure('broken', true)] : [failure('no-answer')];
  const busy: Script = () => [accepted, finished(2, { outcome: 'busy' })];
  const rollout: Rollout = { maxFailures: { count: 0, unit: 'hosts' } };
  const fine = await run(hosts(4, { 0: away, 1: busy }), { concurrency: 1, rollout });
  expect(outcomesOf(fine)).toEqual(['unreachable', 'busy', 'changed', 'changed']);
  const stopped = await run(hosts(3, { 0: lost }), { concurrency: 1, lostAfterMs: 100, rollout });
  expect(outcomesOf(stopped)).toEqual(['lost', 'not-started', 'not-started']);
});

test('--max-unreachable has a budget of its own, also as a share', async () => {
  const rollout: Rollout = { maxUnreachable: { count: 20, unit: 'percent' } };
  const done = await run(hosts(10, {}, away), { concurrency: 1, rollout });
  expect(count(outcomesOf(done), 'unreachable')).toBe(3);
  expect(done.stopped).toBe('max-unreachable');
  expect(judgeJob(done.results, { accept: ['unreachable', 'not-started'] }, done.stopped).exit).toBe(3);
});

test('a budget of 10% of 15 hosts is exceeded by the second: rounded up it took three', async () => {
  const rollout: Rollout = { maxFailures: { count: 10, unit: 'percent' } };
  const done = await run(hosts(15, {}, bad), { concurrency: 1, rollout });
  expect(count(outcomesOf(done), 'failed')).toBe(2);
  expect(done.stopped).toBe('max-failures');
});

test('--expect-version makes a success with another catalog stale', async () => {
  const of =
    (facts: object): Script =>
    () => [accepted, started(), finished(3, { facts })];
  const done = await run(
    {
      same: of({ configurationVersion: 'v2' }),
      code: of({ configurationVersion: '1', codeId: 'v2' }),
      old: of({ configurationVersion: 'v1' }),
      silent: of({}),
      bad,
    },
    { rollout: { expectVersion: 'v2' } },
  );
  expect(outcomesOf(done)).toEqual(['changed', 'changed', 'stale', 'stale', 'failed']);
  expect(done.results[2]?.message).toBe('the catalog is not of "v2": its version is "v1"');

  // An agent tells the beginning of a long one: a commit's message may be a version.
  const message = 'c1: all of it\n'.repeat(40);
  const told = { long: of({ configurationVersion: clip(message, 256) }) };
  expect(outcomesOf(await run(told, { rollout: { expectVersion: message } }))).toEqual(['changed']);
});

// ---------------------------------------------------------------- the window

test('the window slides: never more at once than said, and one that ends lets the next one go', async () => {
  let running = 0;
  let most = 0;
  const together = barrier(4);
  await run(
    hosts(20, {}, () => [accepted, started(), together(), finished()]),
    {
      concurrency: 4,
      emit(event) {
        if (event.type === 'host-dispatched') running += 1;
        if (event.type === 'host-done') running -= 1;
        most = Math.max(most, running);
      },
    },
  );
  expect(most).toBe(4);
});

test('a bound of a group holds for its hosts, within the window', async () => {
  const running = new Set<string>();
  let most = 0;
  const together = barrier(6); // one of the group and the other five
  const done = await run(
    hosts(8, {}, () => [accepted, started(), together(), finished()]),
    {
      concurrency: 6,
      rollout: { groups: [{ name: 'db', concurrency: 1, certnames: ['h0', 'h1', 'h2'] }] },
      emit(event) {
        if (event.type === 'host-dispatched') running.add(event.certname);
        if (event.type === 'host-done') running.delete(event.result.certname);
        most = Math.max(most, ['h0', 'h1', 'h2'].filter((one) => running.has(one)).length);
      },
    },
  );
  expect(most).toBe(1);
  expect(count(outcomesOf(done), 'changed')).toBe(8);
});

test('hosts that report a server that turns them away shrink the window, which grows again', async () => {
  const places = createPlaces(16);
  const told: JobEvent[] = [];
  const pressure = createBackPressure({
    ...{ places, clock: systemClock, emit: (event: JobEvent) => told.push(event) },
    ...{ growAfterMs: 20, settleMs: 0 },
  });
  const line = (message: string) => ({
    ...{ type: 'log' as const, seq: 1, at: 1 },
    lines: [{ level: 'warning' as const, message }],
  });
  pressure.on('a', line('all is well'));
  expect(places.size()).toBe(16);
  pressure.on('a', line('Sleeping for 12 seconds before retrying the request'));
  expect(places.size()).toBe(8);
  pressure.on('b', line('Error 503 on SERVER: Service Unavailable'));
  expect(places.size()).toBe(4);
  while (places.size() < 16) await sleep(5);
  pressure.close();
  const sizes = told.map((event) => (event.type === 'window' ? event.size : 0));
  expect(sizes).toEqual([8, 4, 5, 6, 7, 8, 10, 12, 15, 16]);
  expect(told[0]).toMatchObject({ why: expect.stringContaining('turned a away: Sleeping for 12') });
});

test('turnedAway knows the words of Puppet, and a failed run', () => {
  const end = (message: string) => ({ ...finished(3, { outcome: 'failed', error: { message } }) }) as never;
  expect(
    turnedAway(end('Failed to open TCP connection to puppet:8140 (Connection refused - connect(2))')),
  ).toBeDefined();
  expect(turnedAway(end('No more routes to puppet'))).toBeDefined();
  expect(turnedAway(end('Could not find class foo'))).toBeUndefined();
});

test('a job in which Puppet Server turns hosts away goes on with fewer at once, and says so', async () => {
  const away503: Script = () => [
    accepted,
    started(),
    finished(3, { outcome: 'failed', error: { message: 'Error 503 on SERVER' } }),
  ];
  const done = await run(hosts(6, { 0: away503 }), { concurrency: 4 });
  expect(done.events.find(({ type }) => type === 'window')).toMatchObject({ size: 2, most: 4 });
  expect(count(outcomesOf(done), 'changed')).toBe(5);
});

// ---------------------------------------------------------------- retries

test('an unreachable host is tried again while the others go on, and gives its place back', async () => {
  let tries = 0;
  const late: Script = () =>
    ++tries < 3 ? [failure('connection-refused')] : [accepted, started(), finished()];
  const done = await run(
    { late, b: good, c: good },
    { concurrency: 1, retryAfterMs: 20, rollout: { retry: 5 } },
  );
  expect(outcomesOf(done)).toEqual(['changed', 'changed', 'changed']);
  expect(tries).toBe(3);
  const ends = done.events.flatMap((event) => (event.type === 'host-done' ? [event.result.certname] : []));
  expect(ends.at(-1)).toBe('late');
});

test('--retry is an end, and so is --deadline', async () => {
  let tries = 0;
  const never: Script = () => {
    tries += 1;
    return [failure('connection-refused')];
  };
  expect(outcomesOf(await run({ never }, { retryAfterMs: 1, rollout: { retry: 2 } }))).toEqual([
    'unreachable',
  ]);
  expect(tries).toBe(3);
  tries = 0;
  ownTimers();
  let time = 0;
  const late = await run(
    { never },
    {
      clock: { now: () => time, monotonic: () => time },
      rollout: { deadlineMs: 150 },
      emit(event) {
        if (event.type !== 'host-retry') return;
        time += 50;
        setImmediate(() => vi.advanceTimersByTime(150));
      },
    },
  );
  expect(outcomesOf(late)).toEqual(['unreachable']);
  expect(tries).toBe(4);
});

// ---------------------------------------------------------------- stopped, and taken up again

test('a job that is asked to stop starts no more; what runs is seen to its end', async () => {
  const stop = new AbortController();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const slow: Script = () => [accepted, started(), held, finished()];
  const done = await run(hosts(3, { 0: slow }), {
    ...{ concurrency: 1, stop: stop.signal },
    emit(event) {
      if (event.type === 'host-event' && event.event.type === 'started') stop.abort();
      if (event.type === 'stopping') release();
    },
  });
  expect(outcomesOf(done)).toEqual(['changed', 'not-started', 'not-started']);
  expect(done.stopped).toBe('stopped');
});

test('a job that is cancelled takes its requests off the hosts in progress', async () => {
  const cancel = new AbortController();
  const { sender } = scripted({
    a: () => [accepted, started(), held, finished(3, { outcome: 'cancelled' })],
    b: good,
  });
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const cancelled: string[] = [];
  const { results } = await runJob(jobOf(['a', 'b'], 1), {
    sender: {
      ...sender,
      command: async (to) => {
        cancelled.push(to.certname);
        release();
        return { result: 'done', message: 'cancelled' };
      },
    },
    ...{ identity, clock: systemClock, lostAfterMs: 1000, signal: new AbortController().signal },
    cancel: cancel.signal,
    emit: (event) => event.type === 'host-event' && event.event.type === 'started' && cancel.abort(),
  });
  expect(cancelled).toEqual(['a']);
  expect(results.map(({ outcome }) => outcome)).toEqual(['cancelled', 'not-started']);
});

test('a job that goes on leaves alone what is over, resumes what was under way, and starts the rest', async () => {
  const over: HostResult = { certname: 'over', outcome: 'failed', endedAt: 1 };
  const done = await run(
    {
      over: good,
      running: (kind, after) => (kind === 'resume' && after === 2 ? [finished()] : [failure('garbage')]),
      asked: good,
      fresh: good,
    },
    {
      // The budget that stopped it is not counted anew.
      rollout: { maxFailures: { count: 0, unit: 'hosts' }, canary: 1 },
      before: {
        results: new Map([['over', over]]),
        after: new Map([
          ['running', 2],
          ['asked', 0],
        ]),
      },
    },
  );
  expect(outcomesOf(done)).toEqual(['failed', 'changed', 'changed', 'changed']);
  expect(done.calls.sort()).toEqual(['asked submit 0', 'fresh submit 0', 'running resume 2']);
});

test('a job that goes on does not say unreachable of a host that an earlier request may have reached', async () => {
  const done = await run(
    { asked: () => [failure('connection-refused')], fresh: () => [failure('connection-refused')] },
    { lostAfterMs: 400, before: { results: new Map(), after: new Map([['asked', 0]]) } },
  );
  expect(outcomesOf(done)).toEqual(['lost', 'unreachable']);
});

test('a job that goes on and is stopped does not say not-started of a host that was asked before', async () => {
  const stop = new AbortController();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const done = await run(
    { first: () => [accepted, started(), held, finished()], asked: good, fresh: good },
    {
      ...{ concurrency: 1, stop: stop.signal },
      before: { results: new Map(), after: new Map([['asked', 3]]) },
      emit(event) {
        if (event.type === 'host-event' && event.event.type === 'started') stop.abort();
        if (event.type === 'stopping') release();
      },
    },
  );
  expect(outcomesOf(done)).toEqual(['changed', 'unfinished', 'not-started']);
});

const isOver = (...names: string[]) => ({
  results: new Map(
    names.map((certname) => [certname, { certname, outcome: 'changed', endedAt: 1 } as const]),
  ),
  after: new Map<string, number>(),
});

test('a job whose controller died in its canary goes on with it: all hosts were let go', async () => {
  const script = hosts(5, { 1: bad });
  const first = await run(script, { rollout: { canary: 2 }, before: isOver('h0') });
  expect(outcomesOf(first)).toEqual(['changed', 'failed', 'not-started', 'not-started', 'not-started']);
  expect(first.stopped).toBe('canary');
  const second = await run(script, { rollout: { canary: 2 }, before: isOver('h0', 'h1') });
  expect(second.stopped).toBeUndefined();
});

test('a job that goes on keeps its batches: it began them anew, sized by the hosts that were left', async () => {
  const done = await run(hosts(6), {
    rollout: { batches: [1, 3, 2].map((size) => ({ count: size, unit: 'hosts' })) },
    before: isOver('h0', 'h1'),
  });
  const batches = done.events.flatMap((event) =>
    event.type === 'batch' ? [[event.number, event.of, event.hosts]] : [],
  );
  expect(batches).toEqual([
    [2, 3, 2],
    [3, 3, 2],
  ]);
});

test('a job whose controller died counts the failures from before: its budget began anew', async () => {
  const failed: HostResult = { certname: 'h0', outcome: 'failed', endedAt: 1 };
  const done = await run(hosts(5, {}, bad), {
    concurrency: 1,
    rollout: { maxFailures: { count: 1, unit: 'hosts' } },
    before: { results: new Map([['h0', failed]]), after: new Map() },
  });
  expect(outcomesOf(done)).toEqual(['failed', 'failed', 'not-started', 'not-started', 'not-started']);
});

// ---------------------------------------------------------------- the verdict

test('accepted outcomes are shown and do not count; so does a share of successes', () => {
  const result = (outcome: HostResult['outcome']): HostResult => ({ certname: outcome, outcome, endedAt: 1 });
  const results = [result('changed'), result('unchanged'), result('disabled'), result('unreachable')];
  expect(judgeJob(results, { accept: [] }).exit).toBe(3);
  expect(judgeJob(results, { accept: ['unreachable'] })).toMatchObject({
    exit: 4,
    accepted: [{ outcome: 'unreachable' }],
  });
  expect(judgeJob(results, { accept: ['unreachable', 'disabled'] })).toMatchObject({ exit: 0, bad: [] });
  expect(judgeJob(results, { accept: [], success: 50 }).exit).toBe(0);
  expect(judgeJob(results, { accept: [], success: 51 }).exit).toBe(3);
  expect(judgeJob(results, { accept: ['disabled'], success: 75 }).exit).toBe(0);
});
