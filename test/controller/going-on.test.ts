/** A job that is stopped, and one that is taken up again after a death. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import type { HostResult } from '../../src/controller/jobs/job.ts';
import { rerunOf } from '../../src/controller/plan-job.ts';
import { resumeJob } from '../../src/controller/resume-job.ts';
import { runJob } from '../../src/controller/rollout/run-job.ts';
import type { Site } from '../../src/controller/site.ts';
import type { Outcome } from '../../src/protocol/outcome.ts';
import { systemClock } from '../../src/util/clock.ts';
import { bad, good, hosts, outcomesOf } from './rollouts.ts';
import {
  accepted,
  failure,
  finished,
  identity,
  jobOf,
  run,
  type Script,
  scripted,
  started,
} from './scripted.ts';
import { DAY_MS, dispatched, place, signed } from './stored-jobs.ts';

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

test.each([
  ['in progress', false],
  ['that an earlier controller began with', true],
])('a job that is cancelled takes its requests off the hosts %s', async (_, isOrdered) => {
  const cancel = new AbortController();
  if (isOrdered) cancel.abort();
  const { sender } = scripted({
    a: () => [accepted, started(), held, finished(3, { outcome: 'cancelled' })],
    b: good,
  });
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const cancelled: string[] = [];
  const { results } = await runJob(jobOf(['a', 'b'], 1), {
    caller: async () => ({
      identity,
      sender: {
        ...sender,
        command: async (to) => {
          cancelled.push(to.certname);
          release();
          return { result: 'done', message: 'cancelled' };
        },
      },
    }),
    ...{ clock: systemClock, lostAfterMs: 1000, signal: new AbortController().signal },
    cancel: cancel.signal,
    ...(isOrdered && { before: { results: new Map(), after: new Map([['a', 1]]) } }),
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

test('a job that goes on and is stopped follows what has begun, and does not say not-started of a host that was asked before', async () => {
  const stop = new AbortController();
  let release = () => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  const done = await run(
    { first: () => [accepted, started(), held, finished()], asked: good, begun: good, fresh: good },
    {
      ...{ concurrency: 1, stop: stop.signal },
      before: {
        results: new Map(),
        after: new Map([
          ['asked', 0],
          ['begun', 3],
        ]),
      },
      emit(event) {
        if (event.type === 'host-event' && event.event.type === 'started') stop.abort();
        if (event.type === 'stopping') release();
      },
    },
  );
  expect(outcomesOf(done)).toEqual(['changed', 'unfinished', 'changed', 'not-started']);
  expect(done.calls).not.toContain('asked submit 0');
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

test('a host that was asked when its controller died may have begun: a rerun of those not started leaves it out', async () => {
  const { store, make, record } = place();
  const job = await make(['asked', 'never']);
  const recorder = await record(job.id);
  recorder.on(dispatched('asked'));
  recorder.on(signed('asked'));
  await recorder.close();
  const stored = await store.read(job.id);
  if (stored === undefined) expect.unreachable();
  const rerun = (outcome: Outcome) =>
    rerunOf({} as Site, stored, { by: job.by, outcomes: [outcome] }).targets.map(({ certname }) => certname);
  expect(rerun('not-started')).toEqual(['never']);
  expect(rerun('unfinished')).toEqual(['asked']);
});

test('a host that could not be reached and waits for another try when the job stops is unreachable', async () => {
  const stop = new AbortController();
  const never = new Promise<void>(() => {});
  const done = await run(
    { gone: () => [failure('connection-refused')], slow: () => [accepted, started(), never] },
    {
      ...{ concurrency: 1, rollout: { retry: 9 }, retryAfterMs: 1, signal: stop.signal },
      emit(event) {
        if (event.type === 'host-event' && event.event.type === 'started') stop.abort();
      },
    },
  );
  expect(outcomesOf(done)).toEqual(['unreachable', 'unfinished']);
});

test('a request that cannot be signed has not been sent', async () => {
  const { privateKey: key } = generateKeyPairSync('ed448');
  const done = await run({ a: () => [finished()] }, { identity: { ...identity, key } });
  expect(done.results).toMatchObject([
    { outcome: 'unreachable', message: expect.stringContaining('the request cannot be signed: ') },
  ]);
  expect(done.calls).toEqual([]);
});

test('a job that agents may no longer know is not resumed where a host was asked: it would run twice', async () => {
  const { store, make, record, release } = place();
  const resumed = async (ageMs: number) => {
    const clock = { ...systemClock, now: () => Date.now() + ageMs };
    const stop = () => Promise.reject(new Error('it would be asked again'));
    const site = { store: async () => store, identity: async () => identity, clock } as unknown as Site;
    return resumeJob(site, 'last', { onStart: stop }).catch(({ message }: Error) => message);
  };
  const job = await make(['asked', 'never']);
  const recorder = await record(job.id);
  release(job.id);
  expect(await resumed(40 * DAY_MS)).toBe('it would be asked again');
  const another = await make(['asked', 'never']);
  const recorderOf = await record(another.id);
  recorderOf.on(signed('asked'));
  await Promise.all([recorder, recorderOf].map((one) => one.close()));
  release(another.id);
  expect(await resumed(20 * DAY_MS)).toBe('it would be asked again');
  expect(await resumed(31 * DAY_MS)).toContain('1 host may have run it, and no longer know it after 30d');
});
