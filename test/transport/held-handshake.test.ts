/** Handshakes that have begun when certificates, CAs or CRLs change: nobody comes in by what was true before. */
import { once } from 'node:events';
import { request } from 'node:https';
import { type AddressInfo, createServer, connect as plainConnect } from 'node:net';
import { expect, test } from 'vitest';
import { tlsOptions } from '../../src/transport/tls/options.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { afterwards } from '../support/afterwards.ts';
import { deferred } from '../support/deferred.ts';
import { startAgent } from './support.ts';
import { calm, openGate, Visitor } from './visitors.ts';

test('they end, and count as no failure; those that wait go on', async () => {
  const { visit, gate, started, book } = openGate();
  const [begun, waiting] = [visit('192.0.2.1'), visit('192.0.2.2')];
  begun.speak();
  await calm();
  expect(started).toEqual(['192.0.2.1']);
  gate.endBegun();
  expect([begun.isOpen, waiting.isOpen, book.failures('192.0.2.1')]).toEqual([false, true, 0]);
  waiting.speak();
  await calm();
  expect(started).toEqual(['192.0.2.1', '192.0.2.2']);
});

test('one port that reaches two addresses of this host has two connections', () => {
  const { gate } = openGate();
  const [first, second] = ['192.0.2.10', '192.0.2.11'].map((here) => {
    const visitor = Object.assign(new Visitor('192.0.2.1', 4711), { localAddress: here });
    gate.enter(visitor);
    return visitor;
  });
  second?.destroy();
  gate.clear();
  expect(first?.isOpen).toBe(false);
});

test('a controller that is revoked while it holds its handshake is not let in', async () => {
  const ca = mintCa();
  const [identity, controller] = [ca.agent(), ca.controller()];
  const asked: string[] = [];
  const { listener, target } = await startAgent(identity, {
    service: {
      greet: async () => void asked.push('greet'),
      status: async () => {
        asked.push('status');
        throw new Error('asked');
      },
    },
  });
  const { held, release, port } = await holdingProxy(target.port);
  const options = { host: '127.0.0.1', port, path: '/v1/status', agent: false, ...tlsOptions(controller) };
  const asking = request({ ...options, rejectUnauthorized: false }).end();
  const ended = Promise.race([once(asking, 'error'), once(asking, 'response')]);
  await held;
  ca.revoke(controller);
  listener.setIdentity({ ...identity, crls: ca.agent().crls });
  release();
  await ended;
  expect(asked).toEqual([]);
});

/** Hands on everything at once but what the client sends after its first flight. */
async function holdingProxy(to: number) {
  const [held, released] = [deferred(), deferred()];
  const proxy = createServer((client) => {
    const server = plainConnect(to, '127.0.0.1');
    let flights = 0;
    server.pipe(client);
    client.on('data', async (data) => {
      flights += 1;
      if (flights > 1) {
        held.resolve();
        await released.promise;
      }
      server.write(data);
    });
    for (const one of [client, server]) {
      one.on('error', () => {});
      afterwards(() => one.destroy());
    }
  });
  afterwards(() => proxy.close());
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return { held: held.promise, release: released.resolve, port: (proxy.address() as AddressInfo).port };
}
