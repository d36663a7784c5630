/** DESIGN 14, the listener: what it hands on to its helper, what it does not, and what it says when there is none. */
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Refusal } from '../../src/protocol/refusal.ts';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { type RelayOptions, relayApp } from '../../src/transport/https/helper/relay.ts';
import { listenWith } from '../../src/transport/https/listener/listener.ts';
import { silentLog } from '../../src/util/log.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { afterwards } from '../support/afterwards.ts';
import { tempFolder } from '../support/temp.ts';
import { head, JOB, post, STATUS, speak } from './support.ts';

const ca = mintCa();
const agent = ca.agent();
const controller = ca.controller();
const signal = new AbortController().signal;

/** A listener on loopback; `answer`: its helper's, undefined: there is none. */
async function listener({
  answer,
  isStranger = false,
  brokerStatus,
}: { answer?: RequestListener; isStranger?: boolean } & Pick<RelayOptions, 'brokerStatus'>) {
  const helper = join(tempFolder(), 'helper.sock');
  const asked: { request: IncomingMessage; body: string }[] = [];
  if (answer !== undefined) {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += chunk;
      asked.push({ request, body });
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(helper, resolve));
    afterwards(() => {
      server.closeAllConnections();
      server.close();
    });
  }
  const ending = new AbortController();
  const service = {
    isController: () => !isStranger,
    greet: async () => {
      if (isStranger) throw new Refusal('controller-not-allowed', 'not here');
    },
  };
  const options = { identity: agent, port: 0, bind: '127.0.0.1', log: silentLog, limits: { closeMs: 100 } };
  const open = await listenWith(service, options, async (parts) =>
    relayApp(service, { ...parts, helper, ending: ending.signal, ...(brokerStatus && { brokerStatus }) }),
  );
  afterwards(() => open.close());
  const sender = httpsSender({ identity: controller });
  const target = { certname: agent.certname, host: '127.0.0.1', port: open.port };
  return { asked, sender, target, port: open.port, ending };
}

const json =
  (value: unknown): RequestListener =>
  (_request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json', 'set-cookie': 'a=b' })
      .end(JSON.stringify(value));

test('a question is handed on with who asks, and nothing that the other end says of itself', async () => {
  const { asked, port } = await listener({ answer: json(STATUS) });
  const headers = {
    'kick-peer': 'YWJj',
    'kick-address': '203.0.113.1',
    cookie: 'c=d',
    'x-forwarded-for': 'me',
  };
  const { status, text } = await speak(port, { identity: controller, say: head('GET /v1/status', headers) });
  expect(status).toBe(200);
  expect(text).not.toContain('set-cookie');
  const { headers: handed, url } = asked[0]?.request ?? {};
  expect(url).toBe('/v1/status');
  expect(handed).toEqual({
    host: 'helper',
    'kick-peer': controller.chain[0]?.raw.toString('base64'),
    'kick-address': '127.0.0.1',
    'content-length': '0',
    connection: 'close',
  });
});

test('what it knows of its brokers goes with a request, and nobody else says it', async () => {
  const broker = { server: 'nats1.example.com:4222', reconnects: 1 };
  const { asked, port } = await listener({ answer: json(STATUS), brokerStatus: () => broker });
  const say = head('GET /v1/status', { 'kick-broker': 'YWJj' });
  expect((await speak(port, { identity: controller, say })).status).toBe(200);
  const handed = String(asked[0]?.request.headers['kick-broker']);
  expect(JSON.parse(Buffer.from(handed, 'base64').toString())).toEqual(broker);
});

test('the body of a request is read here, as it is at the agent, and then handed on whole', async () => {
  const { asked, port } = await listener({ answer: json({ result: 'done', message: 'done' }) });
  const identity = controller;
  expect((await speak(port, { identity, say: post('/v1/commands', { body: 'abc' }) })).status).toBe(200);
  expect(asked.map(({ body }) => body)).toEqual(['abc']);
  const long = post('/v1/commands', { 'content-length': 1 << 24 });
  expect((await speak(port, { identity, say: long })).status).toBe(413);
  const other = post('/v1/commands', { body: 'abc', 'content-type': 'text/plain' });
  expect((await speak(port, { identity, say: other })).status).toBe(415);
  expect((await speak(port, { identity, say: head('DELETE /v1/runs') })).status).toBe(405);
  expect(asked).toHaveLength(1);
});

test('a stranger is refused here, and wakes no helper', async () => {
  const { asked, port } = await listener({ answer: json(STATUS), isStranger: true });
  const { status, text } = await speak(port, { identity: controller, say: head('GET /v1/status') });
  expect([status, text.split('\r\n\r\n')[1]]).toEqual([403, '{"code":"controller-not-allowed"}']);
  expect(asked).toEqual([]);
});

test('without a helper nothing has arrived, and the controller asks again', async () => {
  const { sender, target } = await listener({});
  await expect(sender.submit(target, Buffer.from('x'), { signal })).rejects.toMatchObject({
    failure: 'refused',
    refusal: { code: 'stopping' },
  });
});

test('a helper that is gone in the middle says nothing: the request may have arrived', async () => {
  const { sender, target } = await listener({ answer: ({ socket }) => socket.destroy() });
  await expect(sender.submit(target, Buffer.from('x'), { signal })).rejects.toMatchObject({
    failure: 'broken',
    arrived: true,
  });
});

test('a stream that breaks at the helper breaks, and one is ended when the listener is', async () => {
  const line = '{"seq":1,"at":1000,"type":"accepted","version":"0.1.0"}\n';
  const broken = await listener({
    answer: (_request, response) => {
      response
        .writeHead(200, { 'content-type': 'application/x-ndjson' })
        .write(line, () => response.destroy());
    },
  });
  const read = async ({ sender, target }: typeof broken, onEvent = () => {}) => {
    for await (const _ of await sender.resume(target, { job: JOB, after: 0, signal })) onEvent();
  };
  await expect(read(broken)).rejects.toMatchObject({ failure: 'broken' });
  const open = await listener({
    answer: (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' }).write(line);
    },
  });
  await expect(read(open, () => open.ending.abort())).rejects.toMatchObject({ failure: 'broken' });
});
