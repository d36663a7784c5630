/** Streams that are slow, fail, or are closed from either side. */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { deferred } from '../support/deferred.ts';
import { agentIdentity, BODY, controller, finished, log, untilAborted } from './streaming.ts';
import { accepted, anySignal, failureOf, startAgent, startSender } from './support.ts';

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
  const stream = await startSender(controller).submit(target, BODY, { signal: anySignal() });
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
  // Where that comes before the answer has been read, it is the request that is broken.
  const submitted = startSender(controller).submit(target, BODY, { signal: anySignal() });
  submitted.catch(() => {});
  await ended.promise;
  expect(await failureOf(submitted)).toMatchObject({ failure: 'broken', arrived: true });
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
  const failure = await failureOf(
    startSender(controller).submit(agent.target, BODY, { signal: anySignal() }),
  );
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
  const events = (await sender.submit(agent.target, BODY, { signal: anySignal() }))[Symbol.asyncIterator]();
  await events.next();
  const closed = agent.listener.close();
  expect(await failureOf(sender.status(agent.target, { signal: anySignal() }))).toMatchObject({
    failure: 'connection-refused',
  });
  closing.resolve();
  expect((await events.next()).value).toEqual(finished);
  expect((await events.next()).done).toBe(true);
  await closed;
});

test('Listener.close cuts off what does not end', async () => {
  const agent = await startAgent(agentIdentity, { service: { submit: async () => untilAborted } });
  const stream = await startSender(controller).submit(agent.target, BODY, { signal: anySignal() });
  const failure = failureOf(Promise.resolve(stream));
  await agent.listener.close();
  expect(await failure).toMatchObject({ failure: 'broken', arrived: true });
});

test('Sender.close ends what is open', async () => {
  const { target } = await startAgent(agentIdentity, { service: { submit: async () => untilAborted } });
  const sender = startSender(controller);
  const events = (await sender.submit(target, BODY, { signal: anySignal() }))[Symbol.asyncIterator]();
  expect(await events.next()).toMatchObject({ value: accepted() });
  sender.close();
  await expect(events.next()).rejects.toMatchObject({ failure: 'aborted', arrived: true });
  expect(await failureOf(sender.status(target, { signal: anySignal() }))).toMatchObject({
    failure: 'aborted',
  });
});
