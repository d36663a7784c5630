/** DESIGN 14, the socket between listener and helper: what a listener may say, and how much of it. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { handOn } from '../../src/transport/https/helper/handed-on.ts';
import { serveListener } from '../../src/transport/https/helper/serve.ts';
import type { AgentService, Peer } from '../../src/transport/transport.ts';
import { silentLog } from '../../src/util/log.ts';
import { ask, sayTo, serveHere, spoken } from '../support/hostile-listener.ts';
import { tempFolder } from '../support/temp.ts';
import { JOB, STATUS } from './support.ts';

const certificate = Buffer.from('a certificate');

/** A helper that notes who is said to ask, and believes it. */
async function helper(limits: Parameters<typeof serveHere>[2] = {}) {
  const peers: Peer[] = [];
  const bodies: Uint8Array[] = [];
  const note = async (peer: Peer) => void peers.push(peer);
  const service: AgentService = {
    isController: () => true,
    greet: note,
    submit: async (body) => {
      bodies.push(body);
      return async function* () {};
    },
    events: async (_from, peer) => {
      await note(peer);
      return async function* () {};
    },
    status: async (peer) => {
      await note(peer);
      return STATUS;
    },
    command: async () => ({ result: 'done', message: 'done' }),
  };
  return { ...(await serveHere(service, tempFolder(), limits)), peers, bodies };
}

const status = { url: '/v1/status', certificate };

test('who asks is whom the listener names, with the time that came from there', async () => {
  const { path, peers, bodies } = await helper();
  const headers = { date: 'Thu, 01 Jan 2026 00:00:00 GMT' };
  expect((await ask(path, { ...status, headers })).status).toBe(200);
  expect((await ask(path, { url: `/v1/jobs/${JOB}/events?after=0`, certificate })).status).toBe(200);
  expect((await ask(path, { url: '/v1/runs', certificate, body: Buffer.from('x') })).status).toBe(200);
  expect(peers[0]).toEqual({ certificate, address: '192.0.2.1', time: 1_767_225_600_000 });
  expect(peers.map((peer) => Buffer.from(peer.certificate).toString())).toEqual(
    Array(3).fill('a certificate'),
  );
  expect(bodies).toEqual([Buffer.from('x')]);
});

test('what a listener says of its brokers, and of an address that a broker has named, keeps nobody out', async () => {
  const { path, peers } = await helper();
  const broker = { server: 'nats1.example.com:4222', reconnects: 3, reason: 'ü'.repeat(2000) };
  const headers = handOn({ certificate, address: `nats:${'ü '.repeat(200)}`, broker }, {});
  const said = { url: '/v1/status', headers: headers as Record<string, string> };
  expect((await ask(path, said)).status).toBe(200);
  expect(peers).toEqual([
    {
      ...{ certificate, address: `nats:${'?'.repeat(195)}` },
      broker: { ...broker, reason: expect.stringMatching(/^ü+…?$/) },
    },
  ]);
});

test('a question of discovery is the judge’s, and without one there is no such route', async () => {
  const asked: string[] = [];
  const { path } = await helper({
    async judge(question) {
      asked.push(Buffer.from(question).toString());
      return asked.length === 1 ? { is: 'unclear', why: 'a test' } : undefined;
    },
  });
  const said = { url: '/v1/questions', body: Buffer.from('a question') };
  expect((await ask(path, said)).text).toContain('{"is":"unclear","why":"a test"}');
  expect((await ask(path, said)).status).toBe(204);
  expect((await ask(path, { ...said, body: Buffer.alloc(40_000) })).status).toBe(413);
  expect((await ask(path, { ...said, headers: { 'content-type': 'text/plain' } })).status).toBe(415);
  expect((await ask(path, { url: '/v1/questions' })).status).toBe(404);
  expect(asked).toEqual(['a question', 'a question']);
  expect((await ask((await helper()).path, said)).status).toBe(404);
});

test.each([
  ['no certificate', {}, 400],
  ['an empty one', { 'kick-peer': '' }, 400],
  ['one that is not base64', { 'kick-peer': 'a certificate' }, 400],
  ['another spelling of the same', { 'kick-peer': 'YR==' }, 400],
  ['two', { 'kick-peer': 'YWJj\r\nkick-peer: YWJj' }, 400],
  ['one of 40 kB', { 'kick-peer': Buffer.alloc(40_000).toString('base64') }, 400],
  ['one of 100 kB', { 'kick-peer': Buffer.alloc(100_000).toString('base64') }, 431],
  ['no address', { 'kick-peer': 'YWJj', 'kick-address': '' }, 400],
  ['an address with blanks', { 'kick-peer': 'YWJj', 'kick-address': 'a b' }, 400],
  ['what is no status of brokers', { 'kick-peer': 'YWJj', 'kick-broker': 'YWJj' }, 400],
  ['more of it than there is', { 'kick-peer': 'YWJj', 'kick-broker': 'A'.repeat(8000) }, 400],
  ['a long address', { 'kick-peer': 'YWJj', 'kick-address': 'a'.repeat(201) }, 400],
])('%s is refused', async (_what, headers, expected) => {
  const { path, peers } = await helper();
  expect((await ask(path, { url: '/v1/status', headers: headers as Record<string, string> })).status).toBe(
    expected,
  );
  expect(peers).toEqual([]);
});

test('routes, bodies and garbage are as on the port', async () => {
  const { path, bodies } = await helper({ requestBytes: 1000 });
  const body = Buffer.alloc(1001);
  const said = { url: '/v1/runs', certificate };
  expect((await ask(path, { ...said, body })).status).toBe(413);
  expect(
    (
      await ask(path, {
        ...said,
        body: Buffer.from('0\r\n\r\n'),
        headers: { 'transfer-encoding': 'chunked' },
      })
    ).status,
  ).toBe(400);
  expect((await ask(path, { ...said, method: 'PUT' })).status).toBe(405);
  expect((await ask(path, { url: '/v2/runs', certificate })).status).toBe(404);
  expect((await ask(path, { url: '/v1/jobs/..%2f..%2fetc/events?after=0', certificate })).status).toBe(400);
  expect((await sayTo(path, '\u0000\u0001\u0002 garbage\r\n\r\n')).status).toBe(400);
  expect(bodies).toEqual([]);
  // A second request on the same connection is nobody's.
  const twice = await sayTo(path, Buffer.concat([spoken(status), spoken(status)]));
  expect(twice.text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
});

test('what is slow or says nothing is cut off', async () => {
  const { path } = await helper({ headersMs: 100, requestMs: 200, checkEveryMs: 20 });
  expect((await sayTo(path, '')).status).toBe(408);
  expect((await sayTo(path, 'GET /v1/status HTTP/1.1\r\nhost: ')).status).toBe(408);
  const post = spoken({ url: '/v1/runs', certificate, body: Buffer.from('never whole') });
  expect((await sayTo(path, post.subarray(0, -1))).status).toBe(408);
});

test('too many connections are closed at once, and it answers again when some have gone', async () => {
  const { path, listener } = await helper({ connections: 3, strangers: 1 });
  const idle: Socket[] = [];
  onTestFinished(() => {
    for (const socket of idle) socket.destroy();
  });
  while (idle.length < 4) idle.push(connect(path));
  await expect.poll(() => listener.inUse().connections).toBe(4);
  expect((await ask(path, status)).status).toBe(0);
  idle.pop()?.destroy();
  await expect.poll(() => listener.inUse().connections).toBe(3);
  expect((await ask(path, status)).status).toBe(200);
});

test('the socket is its owner’s alone, one that was left behind is replaced, and one that is served is not', async () => {
  const { path } = await helper();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const options = { log: silentLog, path };
  const service = {} as AgentService;
  await expect(serveListener(service, options)).rejects.toMatchObject({ code: 'config' });
  const file = join(tempFolder(), 'file');
  writeFileSync(file, '');
  await expect(serveListener(service, { ...options, path: file })).rejects.toMatchObject({ code: 'config' });
  expect(existsSync(file)).toBe(true);
  const left = join(tempFolder(), 'left');
  const other = createServer().listen(left);
  await expect.poll(() => existsSync(left)).toBe(true);
  // As a kill leaves it: nobody listens, and the name is still there.
  const { rename } = await import('node:fs/promises');
  await rename(left, `${left}.kept`);
  await new Promise((resolve) => other.close(resolve));
  await rename(`${left}.kept`, left);
  const listener = await serveListener(service, { ...options, path: left });
  await listener.close();
});
