/** Streams of events from agent to controller: carried, alive, left, and broken by a death. */
import { connect as connectTcp } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { Refusal } from '../../src/protocol/refusal.ts';
import { tlsOptions } from '../../src/transport/tls/options.ts';
import type { Peer } from '../../src/transport/transport.ts';
import { deferred } from '../support/deferred.ts';
import { agentIdentity, BODY, controller, finished, log, untilAborted } from './streaming.ts';
import { accepted, anySignal, collect, failureOf, JOB, post, startAgent, startSender } from './support.ts';

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
  const events = await collect(await sender.submit(target, BODY, { signal: anySignal() }));
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
    service: { submit: (_body, peer) => note(peer), events: (_from, peer) => note(peer) },
  });
  const before = Math.floor(Date.now() / 1000) * 1000;
  const sender = startSender(controller);
  await collect(await sender.submit(target, BODY, { signal: anySignal() }));
  await collect(await sender.resume(target, { job: JOB, after: 0, signal: anySignal() }));
  expect(times).toHaveLength(2);
  for (const time of times) {
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  }
});

test('Sender.resume asks for the events after a number', async () => {
  const { target } = await startAgent(agentIdentity, {
    service: {
      events: async ({ job, after }) =>
        async function* () {
          if (job === JOB && after === 2) yield finished;
        },
    },
  });
  const events = await collect(
    await startSender(controller).resume(target, { job: JOB, after: 2, signal: anySignal() }),
  );
  expect(events).toEqual([finished]);
});

test('Sender.command returns what was done', async () => {
  const { target, calls } = await startAgent(agentIdentity);
  expect(await startSender(controller).command(target, BODY, { signal: anySignal() })).toEqual({
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
  for await (const { type } of await startSender(controller).submit(target, BODY, { signal: abort.signal })) {
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
  for await (const _ of await startSender(controller).submit(target, BODY, { signal: anySignal() })) break;
  await expect(ended.promise).resolves.toBeUndefined();
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
  const stream = await startSender(controller).submit(target, BODY, { signal: abort.signal });
  const failure = failureOf(Promise.resolve(stream));
  abort.abort();
  expect(await failure).toMatchObject({ failure: 'aborted', arrived: true });
  await ended.promise;
});

test('a controller that is killed in mid-stream aborts the stream and nothing else', async () => {
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
  const again = await collect(
    await startSender(controller).resume(agent.target, { job: JOB, after: 1, signal: anySignal() }),
  );
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
    failureOf(sender.submit(target, BODY, { signal: abort.signal })),
    failureOf(sender.status(target, { signal: abort.signal })),
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
