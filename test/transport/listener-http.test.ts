/** The limits of the listener: slow, large and odd requests are answered by it, and never reach the agent. */
import { expect, test } from 'vitest';
import { MAX_REQUEST_BYTES } from '../../src/protocol/request.ts';
import { SENDER_LIMITS } from '../../src/transport/https/client/limits.ts';
import { LISTENER_LIMITS } from '../../src/transport/https/limits.ts';
import type { Peer } from '../../src/transport/transport.ts';
import { ask, controller } from './asking.ts';
import { head, post } from './support.ts';

const SHORT = { headersMs: 250, requestMs: 300, checkEveryMs: 50 };

test('the limits are those that the design names', () => {
  expect(LISTENER_LIMITS).toEqual({
    handshakeMs: 5000,
    headersMs: 5000,
    requestMs: 10_000,
    checkEveryMs: 1000,
    headerBytes: 8192,
    headerCount: 40,
    requestBytes: 32 * 1024,
    handshakes: 512,
    handshakesAtOnce: 192,
    handshakeGraceMs: 250,
    handshakesLate: 64,
    turnMs: 200,
    betterGraceMs: 100,
    keptPerKnown: 16,
    connections: 1024,
    perKnown: 256,
    strangers: 64,
    perStranger: 8,
    backlog: 4096,
    aliveMs: 15_000,
    stallMs: 60_000,
    closeMs: 3000,
    leaveMs: 1000,
  });
  expect(SENDER_LIMITS).toEqual({
    connectMs: 10_000,
    againMs: [50, 100, 150, 200, 250, 300, 400, 500, 500, 500, 500],
    continueMs: 5000,
    answerMs: 30_000,
    silenceMs: 45_000,
    headerBytes: 8192,
    answerBytes: 1024 * 1024,
    eventBytes: 64 * 1024,
  });
});

test('listenHttps answers 408 to nothing at all', async () => {
  expect((await ask([], { limits: SHORT })).status).toBe(408);
});

test('listenHttps answers 408 to slow headers', async () => {
  const drip = [...head('GET /v1/status')];
  expect((await ask(drip, { limits: SHORT, every: 40 })).status).toBe(408);
});

test('listenHttps answers 408 to a slow body and never asks the agent', async () => {
  const drip = [post('/v1/runs', { 'content-length': 100 }), ...'{"a":1}'.repeat(10)];
  const { status, agent } = await ask(drip, { limits: SHORT, every: 40 });
  expect(status).toBe(408);
  expect(agent.calls).toEqual([]);
  expect(agent.log.lines.filter(({ level }) => level === 'error')).toEqual([]);
});

test('listenHttps answers 431 to a header of 9 kB', async () => {
  expect((await ask(head('GET /v1/status', { 'x-long': 'a'.repeat(9 * 1024) }))).status).toBe(431);
});

test('listenHttps answers 431 to a URL of 10 kB', async () => {
  expect((await ask(head(`GET /v1/${'a'.repeat(10 * 1024)}`))).status).toBe(431);
});

test('listenHttps answers 400 to what is no HTTP', async () => {
  const { status, agent } = await ask('SSH-2.0-OpenSSH_9.2\r\n\r\n');
  expect(status).toBe(400);
  expect(agent.log.lines[0]).toMatchObject({ message: 'request cut off', fields: { address: '127.0.0.1' } });
});

test('listenHttps answers 413 at once to a body over the limit', async () => {
  const announced = post('/v1/runs', { 'content-length': MAX_REQUEST_BYTES + 1 });
  const { status, body, top, agent } = await ask(announced);
  expect(status).toBe(413);
  expect(top).toMatch(/^connection: close$/im);
  expect(JSON.parse(body)).toEqual({ code: 'too-large' });
  expect(agent.calls).toEqual([]);
});

test.each([
  [
    'a chunked body',
    411,
    head('POST /v1/runs', { 'content-type': 'application/jose+json', 'transfer-encoding': 'chunked' }),
  ],
  ['no length', 411, head('POST /v1/runs', { 'content-type': 'application/jose+json' })],
  ['gzip', 415, post('/v1/runs', { body: '{}', 'content-encoding': 'gzip' })],
  ['br', 415, post('/v1/runs', { body: '{}', 'content-encoding': 'br' })],
  ['another content type', 415, post('/v1/runs', { body: '{}', 'content-type': 'application/json' })],
  [
    'a content type with more',
    415,
    post('/v1/runs', { body: '{}', 'content-type': 'application/jose+json; charset=utf-7' }),
  ],
  ['no content type', 415, `${head('POST /v1/runs', { 'content-length': 2 })}{}`],
  ['length and chunked', 400, post('/v1/runs', { 'transfer-encoding': 'chunked' })],
  [
    'two lengths',
    400,
    'POST /v1/runs HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}',
  ],
  ['a length that is no number', 400, post('/v1/runs', { 'content-length': '2x' })],
  ['no host', 400, 'GET /v1/status HTTP/1.1\r\n\r\n'],
  ['a body with GET', 400, `${head('GET /v1/status', { 'content-length': 2 })}{}`],
  ['an unknown expectation', 417, post('/v1/runs', { body: '{}', expect: 'wonders' })],
])('listenHttps answers %s with %i', async (_what, status, say) => {
  const answer = await ask(say);
  expect(answer.status).toBe(status);
  expect(answer.agent.calls).toEqual([]);
});

test('listenHttps asks for the body only after the headers are found good', async () => {
  const expecting = { expect: '100-continue', 'content-length': 2 };
  const bad = await ask(post('/v1/runs', { ...expecting, 'content-length': MAX_REQUEST_BYTES + 1 }));
  expect(bad.text).not.toContain('100 Continue');
  const good = await ask([post('/v1/commands', expecting), '{}'], { every: 100 });
  expect(good.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK/);
});

test('listenHttps hands over the bytes as they came, and the verified certificate', async () => {
  const seen: { body: Uint8Array; peer: Peer }[] = [];
  const body = '{"é":"\u0000 \\ud800"}';
  await ask(post('/v1/runs', { body }), {
    service: {
      submit: async (bytes, peer) => {
        seen.push({ body: bytes, peer });
        return async function* () {};
      },
    },
  });
  expect(Buffer.from(seen[0]?.body ?? []).toString()).toBe(body);
  expect(Buffer.from(seen[0]?.peer.certificate ?? []).equals(controller.chain[0]?.raw ?? Buffer.of())).toBe(
    true,
  );
  expect(seen[0]?.peer.address).toBe('127.0.0.1');
});

test.each([
  [{}, undefined],
  [{ date: 'junk' }, undefined],
  [{ date: 'Thu, 01 Jan 1970 00:00:05 GMT' }, 5000],
])('listenHttps hands over the time of whoever asks with %j', async (headers, time) => {
  const seen: Peer[] = [];
  await ask(post('/v1/runs', { body: '{}', ...headers }), {
    service: {
      submit: async (_bytes, peer) => {
        seen.push(peer);
        return async function* () {};
      },
    },
  });
  expect(seen.map((peer) => peer.time)).toEqual([time]);
});
