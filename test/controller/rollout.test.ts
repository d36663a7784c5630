/** Batches, budgets and the verdict on a rollout. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { HostResult, JobEvent, Rollout } from '../../src/controller/jobs/job.ts';
import { judgeJob } from '../../src/controller/jobs/verdict.ts';
import { batchesOf } from '../../src/controller/rollout/batches.ts';
import type { Share } from '../../src/util/share.ts';
import { clip } from '../../src/util/text.ts';
import { away, bad, count, hosts, outcomesOf } from './rollouts.ts';
import { accepted, failure, finished, ownTimers, run, type Script, started, target } from './scripted.ts';

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

test('a canary that is not perfect stops the rollout, whatever stands against it', async () => {
  for (const script of [bad, away]) {
    const done = await run(hosts(5, { 1: script }), { rollout: { canary: 2 } });
    expect(count(outcomesOf(done), 'not-started')).toBe(3);
    expect(done.stopped).toBe('canary');
  }
});

test('a canary that fails is named where --max-failures 0 would stop the job as well', async () => {
  const said: string[] = [];
  const rollout: Rollout = { canary: 1, maxFailures: { count: 0, unit: 'hosts' } };
  const emit = (event: JobEvent) => void (event.type === 'stopping' && said.push(event.message));
  const done = await run(hosts(3, { 0: bad }), { rollout, emit });
  expect(done.stopped).toBe('canary');
  expect(said).toEqual(['the canary was not a success: more runs failed than --max-failures allows']);
  const later = await run(hosts(3, { 1: bad }), { rollout, concurrency: 1 });
  expect(later.stopped).toBe('max-failures');
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
