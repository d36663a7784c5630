import { expect, test } from 'vitest';
import { addressGroup, plainAddress } from '../../src/transport/https/listener/handshake-gate.ts';
import { quietLog } from '../../src/transport/https/listener/quiet-log.ts';
import { deferred } from '../support/deferred.ts';
import { testCa } from './mint.ts';
import { captureLog, head, knock, speak, startAgent } from './support.ts';

const ca = testCa();

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
])('addressGroup of %s is %s', (address, group) => {
  expect(addressGroup(address)).toBe(group);
});

test('plainAddress leaves IPv6 as it is', () => {
  expect(plainAddress('2001:db8::ffff:1')).toBe('2001:db8::ffff:1');
});

test('listenHttps resets what is over the limit of handshakes in all, and serves again when they are gone', async () => {
  const agent = await startAgent(ca.agent(), { limits: { handshakes: 2 } });
  const { port } = agent.listener;
  const first = knock(port, { localAddress: '127.0.0.2' });
  const second = knock(port, { localAddress: '127.0.0.3' });
  await Promise.all([first, second].map(({ socket }) => new Promise((done) => socket.once('connect', done))));
  const third = knock(port, { localAddress: '127.0.0.4' });
  await third.closed;
  expect(first.socket.destroyed).toBe(false);
  first.socket.destroy();
  const identity = ca.controller();
  const say = head('GET /v1/status');
  await expect.poll(async () => (await speak(port, { identity, say })).status).toBe(200);
});

test('listenHttps counts no handshake that is done', async () => {
  const agent = await startAgent(ca.agent(), { limits: { handshakes: 2, handshakesPerAddress: 1 } });
  const identity = ca.controller();
  const asks = deferred<string>();
  const isConnected = deferred();
  const waiting = speak(agent.listener.port, {
    ...{ identity, later: asks.promise, onSecure: isConnected.resolve },
  });
  await isConnected.promise;
  // Ours may be done before theirs: until then the next is one too many.
  await expect
    .poll(async () => (await speak(agent.listener.port, { identity, say: head('GET /v1/status') })).status)
    .toBe(200);
  asks.resolve(head('GET /v1/status'));
  expect((await waiting).status).toBe(200);
});

test('quietLog writes ten lines a minute and then how many it left out', () => {
  let now = 0;
  const log = captureLog();
  const quiet = quietLog(log, { now: () => now, monotonic: () => now });
  for (let i = 0; i < 25; i++) quiet({ i }, 'knock');
  expect(log.lines).toHaveLength(10);
  now = 60_000;
  quiet({ i: 25 }, 'knock');
  quiet({ i: 26 }, 'knock');
  expect(log.lines.slice(10).map(({ fields }) => fields)).toEqual([{ i: 25, leftOut: 15 }, { i: 26 }]);
});
