/**
 * A connection may end, or stand still, at any byte, in either direction. Whatever the sender then says of a request that
 * the agent has taken, it does not say that nothing has arrived (DESIGN 3, "What the controller decides").
 */
import { createServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listenOn } from '../../tools/loopback.ts';
import { type Cut, cuttingProxy } from '../support/cutting-proxy.ts';
import { agentIdentity, BODY, controller, PATIENT, submit } from './sending.ts';
import { accepted, anySignal, collect, failureOf, startAgent, startSender, targetAt } from './support.ts';

interface Tried {
  at: number;
  /** The agent was asked. */
  isTaken: boolean;
  /** Whether the sender says that it may be; undefined: it got all of its answer. */
  arrived: boolean | undefined;
}

/** Asks through a connection that is cut. A sender that would wait is stopped once everything stands still. */
async function submitThrough(cut: Cut): Promise<Tried & { passed: Record<Cut['from'], number> }> {
  const agent = await startAgent(agentIdentity, {
    service: {
      submit: async () =>
        async function* () {
          yield accepted();
        },
    },
  });
  const proxy = await cuttingProxy(agent.target.port, cut);
  const stop = new AbortController();
  const sender = startSender(controller, { limits: PATIENT });
  const asked = (async () =>
    collect(await sender.submit(targetAt(proxy.port), BODY, { signal: stop.signal })))();
  const failed = failureOf(asked).catch(() => undefined);
  if ((await proxy.reached) === 'cut' && cut.how === 'stall') {
    await proxy.quiet();
    stop.abort();
  }
  const error = await failed;
  await proxy.close();
  await agent.listener.close();
  return {
    at: cut.after,
    isTaken: agent.calls.includes('submit'),
    arrived: error?.arrived,
    passed: proxy.passed,
  };
}

describe.each(['client', 'server'] as const)('the bytes of the %s', (from) => {
  test.each(['reset', 'end', 'stall'] as const)('cut at any place: %s', async (how) => {
    const whole = await submitThrough({ from, after: Number.POSITIVE_INFINITY, how });
    expect(whole).toMatchObject({ isTaken: true, arrived: undefined });
    const all: Tried[] = [];
    const step = Math.ceil(whole.passed[from] / 40);
    for (let after = 0; after < whole.passed[from]; after += step) {
      all.push(await submitThrough({ from, after, how }));
    }
    expect(all.filter(({ isTaken, arrived }) => isTaken && arrived === false)).toEqual([]);
    // Before the agent has asked for the body, nothing can have arrived, and that is said.
    expect(all.filter(({ arrived }) => arrived === false).length).toBeGreaterThan(10);
    expect(all[0]).toMatchObject({ isTaken: false, arrived: false });
    // Its answer is lost: what it has taken is known to it alone.
    if (from === 'server')
      expect(all.filter(({ isTaken, arrived }) => isTaken && arrived === true)).not.toEqual([]);
  });
});

test('closed at any byte before the request was sent: it is sent by another connection, once', async () => {
  const agent = await startAgent(agentIdentity, {
    service: {
      submit: async () =>
        async function* () {
          yield accepted();
        },
    },
  });
  const sender = startSender(controller, { limits: { againMs: [0] } });
  // Less than a client's first two flights, and less than the server's first.
  for (let after = 0; after < 400; after += 40) {
    for (const from of ['client', 'server'] as const) {
      agent.calls.length = 0;
      const proxy = await cuttingProxy(agent.target.port, { from, after, how: 'reset' });
      const target = targetAt(proxy.port);
      expect(await collect(await sender.submit(target, BODY, { signal: anySignal() }))).toHaveLength(1);
      expect(await proxy.reached).toBe('cut');
      expect(agent.calls.filter((call) => call === 'submit')).toHaveLength(1);
      await proxy.close();
    }
  }
});

test('closed each time, it is asked for as often as the limits say, and the last end is told', async () => {
  let connections = 0;
  const closing = createServer((socket) => {
    connections += 1;
    socket.once('data', () => socket.resetAndDestroy());
  });
  onTestFinished(() => void closing.close());
  const port = await listenOn(closing);
  const sender = startSender(controller, { limits: { againMs: [0, 0] } });
  expect(await failureOf(submit(sender, port))).toMatchObject({ failure: 'broken', arrived: false });
  expect(connections).toBe(3);
});
