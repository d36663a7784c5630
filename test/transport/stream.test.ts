import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import type { StoredEvent } from '../../src/protocol/event.ts';
import { Refusal } from '../../src/protocol/refusal.ts';
import { tlsOptions } from '../../src/transport/https/tls-options.ts';
import type { EventStream, Peer } from '../../src/transport/transport.ts';
import { deferred } from '../support/deferred.ts';
import { testCa } from './mint.ts';
import { accepted, anySignal, collect, failureOf, JOB, post, startAgent, startSender } from './support.ts';

const ca = testCa();
const agentIdentity = ca.agent();
const controller = ca.controller();
const BODY = Buffer.from('{"protected":"x"}');

const finished: StoredEvent = { seq: 3, at: 3000, type: 'finished', outcome: 'changed', endedAt: 3000 };
const log = (seq: number, size: number): StoredEvent => ({
  seq,
  at: seq,
  type: 'log',
  lines: [{ level: 'notice', message: 'x'.repeat(size) }],
});

/** A stream that says one thing and then waits for its signal. */
async function* untilAborted(signal: AbortSignal): EventStream {
  yield accepted();
  if (!signal.aborted) await once(signal, 'abort');
}

test('Sender.submit carries the body there and the events back', async () => {
  const bodies: string[] = [];
  const { target } = await startAgent(agentIdentity, {
    service: {
      submit: async (body) => {
        bodies.push(Buffer.from(body).toString());
        return async function* () {
          yield accepted();
          yield log(2, 8000);
          yield finished;
        };
      },
    },
  });
  const sender = startSender(controller);
  const events = await collect(await sender.submit(target, BODY, anySignal()));
  expect(events).toEqual([accepted(), log(2, 8000), finished]);
  expect(bodies).toEqual([BODY.toString()]);
});

test('an agent is told the time of the controller that asks', async () => {
  const times: (number | undefined)[] = [];
  const note = ({ time }: Peer) => {
    times.push(time);
    return Promise.resolve(async function* () {
      yield finished;
    });
  };
  const { target } = await startAgent(agentIdentity, {
    service: { submit: (_body, peer) => note(peer), events: (_job, _after, peer) => note(peer) },
  });
  const before = Math.floor(Date.now() / 1000) * 1000;
  const sender = startSender(controller);
  await collect(await sender.submit(target, BODY, anySignal()));
  await collect(await sender.resume(target, JOB, 0, anySignal()));
  expect(times).toHaveLength(2);
  for (const time of times) {
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  }
});

test('Sender.resume asks for the events after a number', async () => {
  const { target } = await startAgent(agentIdentity, {
    service: {
      events: async (job, after) =>
        async function* () {
          if (job === JOB && after === 2) yield finished;
        },
    },
  });
  const events = await collect(await startSender(controller).resume(target, JOB, 2, anySignal()));
  expect(events).toEqual([finished]);
});

test('Sender.command returns what was done', async () => {
  const { target, calls } = await startAgent(agentIdentity);
  expect(await startSender(controller).command(target, BODY, anySignal())).toEqual({
    result: 'done',
    message: 'done',
  });
  expect(calls).toEqual(['command']);
});

test('a stream says alive while nothing happens', async () => {
  const { target } = await startAgent(agentIdentity, {
    limits: { aliveMs: 20 },
    service: { submit: async () => untilAborted },
  });
  const seen: string[] = [];
  const abort = new AbortController();
  for await (const { type } of await startSender(controller).submit(target, BODY, abort.signal)) {
    seen.push(type);
    if (seen.length === 4) break;
  }
  expect(seen).toEqual(['accepted', 'alive', 'alive', 'alive']);
});

test('a stream that is left early is ended at the agent', async () => {
  const ended = deferred();
  const { target } = await startAgent(agentIdentity, {
    service: {
      submit: async () => (signal) => {
        signal.addEventListener('abort', () => ended.resolve());
        return untilAborted(signal);
      },
    },
  });
  for await (const _ of await startSender(controller).submit(target, BODY, anySignal())) break;
  await ended.promise;
});

test("the caller's signal ends a stream as aborted, here and at the agent", async () => {
  const ended = deferred();
  const { target } = await startAgent(agentIdentity, {
    service: {
      submit: async () => (signal) => {
        signal.addEventListener('abort', () => ended.resolve());
        return untilAborted(signal);
      },
    },
  });
  const abort = new AbortController();
  const stream = await startSender(controller).submit(target, BODY, abort.signal);
  const failure = failureOf(Promise.resolve(stream));
  abort.abort();
  expect(await failure).toMatchObject({ failure: 'aborted', arrived: true });
  await ended.promise;
});

test('a controller that is killed in mid-stream aborts the stream and nothing else (facts, row 25)', async () => {
  const ended = deferred();
  const begun = deferred();
  let submitted = 0;
  const agent = await startAgent(agentIdentity, {
    service: {
      submit: async () => {
        submitted++;
        return (signal) => {
          signal.addEventListener('abort', () => ended.resolve());
          return untilAborted(signal);
        };
      },
      events: async () =>
        async function* () {
          yield finished;
        },
    },
  });
  const raw = connectTcp({ port: agent.target.port, host: '127.0.0.1' });
  raw.on('error', () => {});
  const socket = connect({ socket: raw, ...tlsOptions(controller), rejectUnauthorized: false });
  socket.on('error', () => {});
  socket.on('data', (data) => {
    if (data.toString().includes('accepted')) begun.resolve();
  });
  socket.write(post('/v1/runs', { body: '{}' }));
  await begun.promise;
  raw.resetAndDestroy();
  await ended.promise;
  expect(submitted).toBe(1);
  expect(agent.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
  const again = await collect(await startSender(controller).resume(agent.target, JOB, 1, anySignal()));
  expect(again).toEqual([finished]);
});

test('a controller that is gone before the answer does not start a stream', async () => {
  const both = deferred();
  let asked = 0;
  const ask = () => {
    asked += 1;
    if (asked === 2) both.resolve();
  };
  const go = deferred();
  let opened = false;
  const { target, listener, log } = await startAgent(agentIdentity, {
    limits: { closeMs: 50 },
    service: {
      submit: async () => {
        ask();
        await go.promise;
        return (signal) => {
          opened = true;
          return untilAborted(signal);
        };
      },
      status: async () => {
        ask();
        await go.promise;
        throw new Refusal('stopping', 'too late');
      },
    },
  });
  const abort = new AbortController();
  const sender = startSender(controller);
  const failures = [
    failureOf(sender.submit(target, BODY, abort.signal)),
    failureOf(sender.status(target, abort.signal)),
  ];
  await both.promise;
  abort.abort();
  for (const failure of await Promise.all(failures)) expect(failure).toMatchObject({ failure: 'aborted' });
  await listener.close(); // returns when both connections are gone
  go.resolve();
  await nextTurn();
  await nextTurn();
  expect(opened).toBe(false);
  expect(log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('a slow reader slows the stream down', async () => {
  let produced = 0;
  const { target } = await startAgent(agentIdentity, {
    service: {
      submit: async () =>
        async function* () {
          for (let seq = 1; seq <= 2000; seq++) {
            produced = seq;
            yield log(seq, 8000);
          }
        },
    },
  });
  const stream = await startSender(controller).submit(target, BODY, anySignal());
  const events = stream[Symbol.asyncIterator]();
  await events.next();
  let before = -1;
  while (before !== produced) {
    before = produced;
    await delay(50);
  }
  // 2000 events are 16 MB; what the kernel and the two ends hold is a part of that.
  expect(produced).toBeLessThan(1800);
  let taken = 1;
  while ((await events.next()).done !== true) taken++;
  expect(taken).toBe(2000);
});

test('a reader that takes nothing for long is cut off', async () => {
  const ended = deferred();
  const { target } = await startAgent(agentIdentity, {
    limits: { stallMs: 100 },
    service: {
      submit: async () => (signal) => {
        signal.addEventListener('abort', () => ended.resolve());
        return (async function* () {
          for (let seq = 1; ; seq++) yield log(seq, 8000);
        })();
      },
    },
  });
  const stream = await startSender(controller).submit(target, BODY, anySignal());
  await ended.promise;
  expect(await failureOf(Promise.resolve(stream))).toMatchObject({ failure: 'broken', arrived: true });
});

test('a stream that fails at the agent is broken here and logged there', async () => {
  const agent = await startAgent(agentIdentity, {
    service: {
      submit: async () =>
        async function* () {
          yield accepted();
          throw new Error('no such file');
        },
    },
  });
  const failure = await failureOf(startSender(controller).submit(agent.target, BODY, anySignal()));
  expect(failure).toMatchObject({ failure: 'broken', arrived: true });
  expect(agent.log.lines).toMatchObject([{ level: 'error', message: 'the stream of events broke' }]);
});

test('Listener.close lets streams end and takes nobody new', async () => {
  const closing = deferred();
  const agent = await startAgent(agentIdentity, {
    limits: { closeMs: 600_000 },
    service: {
      submit: async () =>
        async function* () {
          yield accepted();
          await closing.promise;
          yield finished;
        },
    },
  });
  const sender = startSender(controller);
  const events = (await sender.submit(agent.target, BODY, anySignal()))[Symbol.asyncIterator]();
  await events.next();
  const closed = agent.listener.close();
  expect(await failureOf(sender.status(agent.target, anySignal()))).toMatchObject({
    failure: 'connection-refused',
  });
  closing.resolve();
  expect((await events.next()).value).toEqual(finished);
  expect((await events.next()).done).toBe(true);
  await closed;
});

test('Listener.close cuts off what does not end', async () => {
  const agent = await startAgent(agentIdentity, { service: { submit: async () => untilAborted } });
  const stream = await startSender(controller).submit(agent.target, BODY, anySignal());
  const failure = failureOf(Promise.resolve(stream));
  await agent.listener.close();
  expect(await failure).toMatchObject({ failure: 'broken', arrived: true });
});

test('Sender.close ends what is open', async () => {
  const { target } = await startAgent(agentIdentity, { service: { submit: async () => untilAborted } });
  const sender = startSender(controller);
  const events = (await sender.submit(target, BODY, anySignal()))[Symbol.asyncIterator]();
  expect(await events.next()).toMatchObject({ value: accepted() });
  sender.close();
  await expect(events.next()).rejects.toMatchObject({ failure: 'aborted', arrived: true });
  expect(await failureOf(sender.status(target, anySignal()))).toMatchObject({ failure: 'aborted' });
});
