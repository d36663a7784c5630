/** The way of one host and of many, against a sender that does what a case wants. */
import { expect, test, vi } from 'vitest';
import type { RefusalCode } from '../../src/protocol/refusal.ts';
import type { SendFailure } from '../../src/transport/transport.ts';
import { deferred } from '../support/deferred.ts';
import {
  accepted,
  barrier,
  failure,
  finished,
  only,
  ownTimers,
  refusal,
  run,
  type Script,
  started,
  waiting,
} from './scripted.ts';

test('a stream to its end is its outcome', async () => {
  const done = await run({ a: () => [accepted, started(), finished()] });
  expect(only(done)).toMatchObject({ certname: 'a', outcome: 'changed' });
  expect(done.events.map(({ type }) => type)).toEqual([
    ...['job-started', 'host-dispatched', 'request-signed', 'host-event', 'host-event', 'host-event'],
    ...['host-done', 'job-done'],
  ]);
});

test('a connection that breaks is resumed after the last event', async () => {
  const done = await run({
    a: (kind) => (kind === 'submit' ? [accepted, failure('broken', true)] : [started(), finished()]),
  });
  expect(only(done)?.outcome).toBe('changed');
  expect(done.calls).toEqual(['a submit 0', 'a resume 1']);
});

test('a host that no longer answers is lost, after the time without contact', async () => {
  const a: Script = (kind) =>
    kind === 'submit' ? [accepted, failure('broken', true)] : [failure('no-answer')];
  const done = await run({ a }, { lostAfterMs: 400 });
  expect(only(done)).toMatchObject({ outcome: 'lost', message: expect.stringContaining('no contact for') });
});

test('an agent that forgot the job is asked again with the same key', async () => {
  let tries = 0;
  const done = await run({
    a: (kind) => {
      if (kind === 'resume') return [refusal('unknown-job')];
      tries += 1;
      return tries === 1 ? [accepted, failure('broken', true)] : [accepted, started(), finished()];
    },
  });
  expect(only(done)?.outcome).toBe('changed');
  expect(done.calls).toEqual(['a submit 0', 'a resume 1', 'a submit 0']);
});

test.each<SendFailure>(['no-such-name', 'connection-refused', 'no-answer', 'certificate', 'garbage'])(
  '"%s" before anything arrived is unreachable at once',
  async (name) => {
    const done = await run({ a: () => [failure(name)] });
    expect(only(done)).toMatchObject({ outcome: 'unreachable', failure: name });
    expect(done.calls).toHaveLength(1);
  },
);

test.each<SendFailure>(['broken', 'not-trusted'])(
  '"%s" before anything arrived is tried three times',
  async (name) => {
    const done = await run({ a: () => [failure(name)] }, { lostAfterMs: 60_000 });
    expect(only(done)?.outcome).toBe('unreachable');
    expect(done.calls).toHaveLength(3);
  },
);

test('refused and unreachable are not final once an earlier try may have arrived', async () => {
  let tries = 0;
  const steps = [failure('broken', true), failure('connection-refused'), refusal('peer-mismatch')];
  const done = await run({ a: () => [steps[tries++] ?? finished(1)] }, { lostAfterMs: 60_000 });
  expect(only(done)?.outcome).toBe('changed');
  expect(done.calls).toHaveLength(4);
});

test.each<RefusalCode>([
  'signature',
  'audience',
  'policy',
  'no-space',
  'controller-not-allowed',
  'unsupported',
])('the refusal "%s" is final', async (code) => {
  expect(only(await run({ a: () => [refusal(code)] }))).toMatchObject({
    outcome: 'refused',
    refusal: { code },
  });
});

test('a full queue is busy, an agent that is being stopped is asked again', async () => {
  expect(only(await run({ a: () => [refusal('queue-full')] }))?.outcome).toBe('busy');
  let tries = 0;
  const done = await run({ a: () => (tries++ === 0 ? [refusal('stopping')] : [accepted, finished(2)]) });
  expect(only(done)?.outcome).toBe('changed');
});

test('an agent that is being stopped all the time and has accepted nothing has refused, and is not lost', async () => {
  const done = await run({ a: () => [refusal('stopping')] }, { lostAfterMs: 50 });
  expect(only(done)).toMatchObject({ outcome: 'refused', refusal: { code: 'stopping' } });
});

test('a host that waits gives its place back', async () => {
  const otherDone = deferred();
  const done = await run(
    {
      a: () => [accepted, waiting, otherDone.promise, started(3), finished(4)],
      b: () => [accepted, started(), finished()],
    },
    {
      concurrency: 1,
      emit(event) {
        if (event.type === 'host-done' && event.result.certname === 'b') otherDone.resolve();
      },
    },
  );
  expect(done.results.map(({ outcome }) => outcome)).toEqual(['changed', 'changed']);
});

test('no more hosts than --concurrency run at once', async () => {
  let running = 0;
  let most = 0;
  const names = Array.from({ length: 12 }, (_, index) => `h${index}`);
  const together = barrier(3);
  const script: Script = () => {
    running += 1;
    most = Math.max(most, running);
    const turn = together().then(() => {
      running -= 1;
    });
    return [accepted, started(), turn, finished()];
  };
  const done = await run(Object.fromEntries(names.map((name) => [name, script])), { concurrency: 3 });
  expect(done.results.every(({ outcome }) => outcome === 'changed')).toBe(true);
  expect(most).toBe(3);
});

const never = new Promise(() => {});

test('a host that hangs costs the others nothing; --timeout leaves it unfinished, and ends nothing', async () => {
  ownTimers();
  const done = await run(
    { hangs: () => [accepted, started(), never], b: () => [accepted, started(), finished()] },
    {
      timeoutMs: 150,
      emit: (event) => event.type === 'host-done' && vi.advanceTimersByTime(150), // that of b
    },
  );
  expect(done.stopped).toBe('timeout');
  expect(done.results.map(({ outcome }) => outcome)).toEqual(['unfinished', 'changed']);
});

test('Ctrl-C starts no more hosts and leaves the others', async () => {
  const interrupt = new AbortController();
  const done = await run(
    { a: () => [accepted, started(), never], b: () => [accepted, started(), finished()] },
    {
      concurrency: 1,
      signal: interrupt.signal,
      emit(event) {
        if (event.type === 'host-event' && event.event.type === 'started') interrupt.abort();
      },
    },
  );
  expect(done.stopped).toBe('interrupted');
  expect(done.results.map(({ outcome }) => outcome)).toEqual(['unfinished', 'not-started']);
  expect(done.calls).toEqual(['a submit 0']);
});

test('--detach asks and leaves', async () => {
  const done = await run({ a: () => [accepted, never] }, { detach: true });
  expect(only(done)?.outcome).toBe('unfinished');
});

test('no host is sent anything once the job has another controller', async () => {
  const lost = new AbortController();
  let looks = 0;
  // It is taken over after the first host was asked.
  const lease = {
    isHeld() {
      looks += 1;
      if (looks > 2) lost.abort();
      return !lost.signal.aborted;
    },
  };
  const well: Script = () => [accepted, started(), finished()];
  const { calls, results } = await run(
    { a: well, b: well, c: well },
    { concurrency: 1, lease, signal: lost.signal },
  );
  expect(calls).toEqual(['a submit 0']);
  expect(results.map(({ outcome }) => outcome)).toEqual(['changed', 'not-started', 'not-started']);
});

test('an error of ours while a host is asked takes no other outcome with it', async () => {
  const well: Script = () => [accepted, started(), finished()];
  const done = await run(
    { a: well, b: well },
    {
      emit(event) {
        if (event.type === 'host-dispatched' && event.certname === 'a') throw new Error('EIO: i/o error');
      },
    },
  );
  expect(done.results).toMatchObject([
    { outcome: 'unfinished', message: expect.stringContaining('EIO: i/o error') },
    { outcome: 'changed' },
  ]);
});

test('a question that cannot be asked is not answered yes', async () => {
  const well: Script = () => [accepted, started(), finished()];
  const { results, stopped } = await run(
    { a: well, b: well },
    {
      rollout: { batches: [{ count: 1, unit: 'hosts' }], confirm: true },
      confirm: () => Promise.reject(new Error('EIO: the terminal is gone')),
    },
  );
  expect(stopped).toBe('declined');
  expect(results.map(({ outcome }) => outcome)).toEqual(['changed', 'not-started']);
});
