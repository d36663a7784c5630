/** What counts as having spoken, before TLS: a whole ClientHello, or what can be none. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { onceHello } from '../../src/transport/guard/client-hello.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { head, speak, startAgent } from './support.ts';

/** A connection to a server that waits for a ClientHello. */
async function waiting(): Promise<{ client: Socket; arrived: Socket; spoken: () => number }> {
  const server = createServer({ allowHalfOpen: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  const [arrived] = (await once(server, 'connection')) as [Socket];
  onTestFinished(() => {
    for (const one of [client, arrived, server]) 'destroy' in one ? one.destroy() : one.close();
  });
  let count = 0;
  onceHello(arrived, () => {
    count += 1;
  });
  return { client, arrived, spoken: () => count };
}

const record = (bytes: Uint8Array) =>
  Buffer.concat([Buffer.from([22, 3, 1, bytes.length >> 8, bytes.length & 255]), bytes]);
/** HandshakeType, length, and so many bytes. */
const message = (length: number, type = 1) =>
  Buffer.concat([Buffer.from([type, 0, length >> 8, length & 255]), Buffer.alloc(length, 7)]);

test.each([
  ['one record', record(message(300))],
  [
    'three records',
    Buffer.concat([0, 2, 102].map((at, i) => record(message(300).subarray(at, [2, 102, 304][i])))),
  ],
])(
  'a ClientHello of %s is one when its last byte is there, and can then be read from its first',
  async (_, bytes) => {
    const { client, arrived, spoken } = await waiting();
    client.setNoDelay(true);
    for (const byte of bytes.subarray(0, -1)) client.write(Uint8Array.of(byte));
    await expect.poll(() => arrived.bytesRead).toBe(bytes.length - 1);
    expect(spoken()).toBe(0);
    client.write(bytes.subarray(-1));
    await expect.poll(spoken).toBe(1);
    expect(arrived.read()).toEqual(bytes);
  },
);

test.each([
  ['a request without TLS', Buffer.from('GET / HTTP/1.1\r\n')],
  ['an alert in the middle', Buffer.concat([record(message(300).subarray(0, 9)), Buffer.from([21, 3])])],
  ['another message', record(message(300, 2).subarray(0, 9))],
  ['more than a ClientHello', Buffer.concat([record(message(20)), Buffer.from('more')])],
  ['one that is longer than any', record(message(2 ** 14).subarray(0, 2 ** 14 - 5))],
  ['many records of nothing', Buffer.concat(Array.from({ length: 2 ** 12 }, () => record(new Uint8Array())))],
])('%s waits for nothing', async (_, bytes) => {
  const { client, arrived, spoken } = await waiting();
  client.write(bytes);
  await expect.poll(spoken).toBe(1);
  expect(bytes.subarray(0, 16)).toEqual(arrived.read()?.subarray(0, 16));
});

test('one who ends before it has said hello is gone', async () => {
  const { client, arrived, spoken } = await waiting();
  client.end(record(message(20)).subarray(0, 10));
  await once(arrived, 'close');
  expect(spoken()).toBe(0);
});

test('an agent answers one whose ClientHello comes in many pieces', async () => {
  const ca = mintCa();
  const agent = await startAgent(ca.agent());
  const relay = createServer(async (client) => {
    const onward = connect(agent.listener.port, '127.0.0.1').setNoDelay(true);
    // The agent closes once it has answered; what the client says after that has nowhere to go.
    for (const one of [onward, client]) one.on('error', () => {});
    onward.pipe(client);
    for await (const chunk of client as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += 50) {
        if (onward.writable) onward.write(chunk.subarray(at, at + 50));
        await sleep(2);
      }
    }
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void relay.close());
  const { port } = relay.address() as AddressInfo;
  const heard = await speak(port, {
    identity: ca.controller(),
    say: head('GET /v1/status', { connection: 'close' }),
  });
  expect(heard.status).toBe(200);
});
