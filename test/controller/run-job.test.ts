/** The way of one host and of many, against a sender that does what a case wants. */
import { expect, test } from 'vitest';
import type { HostResult, Job, JobEvent } from '../../src/controller/job.ts';
import { type RunJobOptions, runJob } from '../../src/controller/run-job.ts';
import type { RefusalCode } from '../../src/protocol/refusal.ts';
import {
  type IncomingEvent,
  SendError,
  type Sender,
  type SendFailure,
  type Target,
} from '../../src/transport/transport.ts';
import { systemClock } from '../../src/util/clock.ts';
import { mintCa } from '../support/minted-ca.ts';

const identity = await mintCa().identity('puppet.example.com');
const target = (certname: string): Target => ({ certname, host: certname, port: 8139 });

function jobOf(names: string[], concurrency = 25): Job {
  return {
    id: '01900000-0000-7000-8000-000000000002',
    controller: identity.certname,
    by: { user: 'deploy', uid: 0, host: 'puppet' },
    action: { op: 'run' },
    targets: names.map(target),
    concurrency,
  };
}

/** What a host does with each try, in order: its events, or why the try fails. */
type Step = (IncomingEvent | SendError | Promise<unknown>)[];
type Script = (kind: 'submit' | 'resume', after: number, signal: AbortSignal) => Step;

function scripted(scripts: Record<string, Script>): { sender: Sender; calls: string[] } {
  const calls: string[] = [];
  function play(to: Target, kind: 'submit' | 'resume', after: number, signal: AbortSignal) {
    calls.push(`${to.certname} ${kind} ${after}`);
    const steps = scripts[to.certname]?.(kind, after, signal) ?? [];
    return (async function* () {
      for (const step of steps) {
        if (step instanceof SendError) throw step;
        if (step instanceof Promise) await Promise.race([step, aborted(signal)]);
        else yield step;
        if (signal.aborted) throw new SendError('aborted', 'aborted', { arrived: true });
      }
    })();
  }
  const unused = () => Promise.reject(new Error('not asked here'));
  return {
    calls,
    sender: {
      submit: async (to, _body, signal) => play(to, 'submit', 0, signal),
      resume: async (to, _job, after, signal) => play(to, 'resume', after, signal),
      ...{ status: unused, command: unused, close() {} },
    },
  };
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));

const accepted: IncomingEvent = { type: 'accepted', version: '1', seq: 1, at: 1 };
const waiting: IncomingEvent = { type: 'waiting', holder: { what: 'puppet agent' }, until: 9, seq: 2, at: 2 };
const started = (seq = 2): IncomingEvent => ({
  type: 'started',
  run: '01900000-0000-7000-8000-000000000003',
  seq,
  at: 3,
});
const finished = (seq = 3): IncomingEvent => ({
  type: 'finished',
  outcome: 'changed',
  endedAt: 4,
  seq,
  at: 4,
});
const failure = (name: SendFailure, arrived = false) => new SendError(name, `it is ${name}`, { arrived });
const refusal = (code: RefusalCode, arrived = false) =>
  new SendError('refused', code, { arrived, refusal: { code, version: '9' } });

async function run(
  scripts: Record<string, Script>,
  options: Partial<RunJobOptions> & { concurrency?: number } = {},
) {
  const { sender, calls } = scripted(scripts);
  const events: JobEvent[] = [];
  const { results, stopped } = await runJob(jobOf(Object.keys(scripts), options.concurrency), {
    ...{ sender, identity, clock: systemClock, lostAfterMs: 400, signal: new AbortController().signal },
    ...options,
    emit(event) {
      events.push(event);
      options.emit?.(event);
    },
  });
  return { results, stopped, calls, events };
}

const only = ({ results }: { results: HostResult[] }) => results[0];

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
  const done = await run({
    a: (kind) => (kind === 'submit' ? [accepted, failure('broken', true)] : [failure('no-answer')]),
  });
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
        if (event.type === 'host-done' && event.result.certname === 'b') otherDone.resolve(undefined);
      },
    },
  );
  expect(done.results.map(({ outcome }) => outcome)).toEqual(['changed', 'changed']);
});

function deferred() {
  let resolve: (value: unknown) => void = () => {};
  const promise = new Promise((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

test('no more hosts than --concurrency run at once', async () => {
  let running = 0;
  let most = 0;
  const names = Array.from({ length: 12 }, (_, index) => `h${index}`);
  const script: Script = () => {
    running += 1;
    most = Math.max(most, running);
    const pause = new Promise((resolve) => setTimeout(resolve, 5)).then(() => {
      running -= 1;
    });
    return [accepted, started(), pause, finished()];
  };
  const done = await run(Object.fromEntries(names.map((name) => [name, script])), { concurrency: 3 });
  expect(done.results.every(({ outcome }) => outcome === 'changed')).toBe(true);
  expect(most).toBe(3);
});

const never = new Promise(() => {});

test('a host that hangs costs the others nothing; --timeout leaves it unfinished, and ends nothing', async () => {
  const done = await run(
    { hangs: () => [accepted, started(), never], b: () => [accepted, started(), finished()] },
    { timeoutMs: 150 },
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
