import { expect, test } from 'vitest';
import { REFUSALS, Refusal, type RefusalCode } from '../../src/protocol/refusal.ts';
import { MAX_REQUEST_BYTES } from '../../src/protocol/request.ts';
import { LISTENER_LIMITS, SENDER_LIMITS } from '../../src/transport/https/limits.ts';
import type { Peer } from '../../src/transport/transport.ts';
import { testCa } from './mint.ts';
import { type AgentOptions, head, JOB, post, type Rudeness, speak, startAgent } from './support.ts';

const ca = testCa();
const agentIdentity = ca.agent();
const controller = ca.controller();
const SHORT = { headersMs: 250, requestMs: 300, checkEveryMs: 50 };

async function ask(say: Rudeness['say'], options: AgentOptions & { every?: number } = {}) {
  const agent = await startAgent(agentIdentity, options);
  const { every } = options;
  const heard = await speak(agent.listener.port, {
    identity: controller,
    ...(say !== undefined && { say }),
    ...(every !== undefined && { every }),
  });
  const [top = '', body = ''] = heard.text.split(/\r\n\r\n/);
  return { ...heard, top, body, agent };
}

test('the limits are those that the design names', () => {
  expect(LISTENER_LIMITS).toEqual({
    handshakeMs: 5000,
    headersMs: 5000,
    requestMs: 10_000,
    checkEveryMs: 1000,
    headerBytes: 8192,
    headerCount: 40,
    requestBytes: 32 * 1024,
    connections: 1024,
    handshakes: 64,
    handshakesPerAddress: 8,
    aliveMs: 15_000,
    stallMs: 60_000,
    closeMs: 3000,
  });
  expect(SENDER_LIMITS).toEqual({
    connectMs: 10_000,
    continueMs: 5000,
    answerMs: 30_000,
    silenceMs: 45_000,
    headerBytes: 8192,
    answerBytes: 1024 * 1024,
    eventBytes: 64 * 1024,
    streamBytes: 64 * 1024 * 1024,
  });
});

// ---------------------------------------------------------------- slow and large (facts, row 6)

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

// ---------------------------------------------------------------- bodies (facts, row 7)

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

// ---------------------------------------------------------------- routes (facts, row 15)

test.each([
  ['GET', '/', 404],
  ['GET', '/v1', 404],
  ['GET', '/V1/status', 404],
  ['GET', '/v1/status/', 404],
  ['GET', '/v1/jobs', 404],
  ['GET', '/v1/runs', 405],
  ['GET', '/v1/commands', 405],
  ['HEAD', '/v1/status', 405],
  ['OPTIONS', '/v1/status', 405],
  ['DELETE', '/v1/runs', 405],
  ['TRACE', '/v1/runs', 405],
  ['PUT', '/v1/runs', 405],
])('listenHttps answers %s %s with %i', async (method, path, status) => {
  const { agent, ...answer } = await ask(head(`${method} ${path}`));
  expect(answer.status).toBe(status);
  expect(answer.top).not.toMatch(/^(x-powered-by|etag|server):/im);
  expect(agent.calls).toEqual([]);
});

test('listenHttps answers POST to a GET route with 405', async () => {
  expect((await ask(post('/v1/status', { body: '{}' }))).status).toBe(405);
});

test.each([
  '..%2f..%2fetc%2fx',
  '../../etc/x',
  `${JOB}%00`,
  '%00',
  '%',
  '%ff',
  'a'.repeat(4000),
  JOB.toUpperCase(),
])('listenHttps turns the job id %j away before the agent is asked', async (job) => {
  const { status, body, agent } = await ask(head(`GET /v1/jobs/${job}/events?after=0`));
  expect(status).toBe(job.includes('/') ? 404 : 400);
  expect(JSON.parse(body)).toEqual({ code: job.includes('/') ? 'unsupported' : 'malformed' });
  expect(agent.calls).toEqual([]);
});

test.each([
  '',
  '?after=',
  '?after=-1',
  '?after=1.5',
  '?after=1e3',
  '?after=9007199254740993',
  '?after=1&after=2',
  '?x=1',
  '?after=1?after=2',
  '?after[]=1',
  '?after=%31',
])('listenHttps answers events%s with 400', async (query) => {
  const { status, body, agent } = await ask(head(`GET /v1/jobs/${JOB}/events${query}`));
  expect(status).toBe(400);
  expect(JSON.parse(body)).toEqual({ code: 'malformed' });
  expect(agent.calls).toEqual([]);
});

test('listenHttps gives job and number to the agent', async () => {
  const seen: unknown[] = [];
  await ask(head(`GET /v1/jobs/${JOB}/events?after=17`), {
    service: {
      events: async (job, after) => {
        seen.push(job, after);
        return async function* () {};
      },
    },
  });
  expect(seen).toEqual([JOB, 17]);
});

// ---------------------------------------------------------------- refusals and errors

const EXPECTED: Record<RefusalCode, number> = {
  malformed: 400,
  'peer-mismatch': 403,
  signature: 403,
  issuer: 403,
  'controller-not-allowed': 403,
  audience: 403,
  policy: 403,
  expired: 403,
  'clock-skew': 403,
  'unknown-job': 404,
  'job-conflict': 409,
  gone: 410,
  'too-large': 413,
  unsupported: 422,
  internal: 500,
  'no-space': 503,
  'queue-full': 503,
  stopping: 503,
};

test.each(Object.keys(REFUSALS) as RefusalCode[])(
  'listenHttps tells the refusal %s and no detail',
  async (code) => {
    const { status, body } = await ask(post('/v1/runs', { body: '{}' }), {
      service: {
        submit: () => Promise.reject(new Refusal(code, 'only for the log', { time: 5 })),
      },
    });
    expect(status).toBe(EXPECTED[code]);
    expect(JSON.parse(body)).toEqual({ code, time: 5 });
  },
);

test('listenHttps answers 500 without detail to an error of our own and logs it', async () => {
  const failing = { status: () => Promise.reject(new Error('disk at /var/lib/kick is on fire')) };
  const { status, text, body, agent } = await ask(head('GET /v1/status'), { service: failing });
  expect(status).toBe(500);
  expect(JSON.parse(body)).toEqual({ code: 'internal' });
  expect(text).not.toContain('fire');
  const [line] = agent.log.lines.filter(({ level }) => level === 'error');
  expect(line?.fields['err']).toMatchObject({ message: expect.stringContaining('fire') });
});

test('listenHttps answers one request a connection', async () => {
  const { text, agent } = await ask(head('GET /v1/status') + head('GET /v1/status'));
  expect(text.match(/HTTP\/1\.1/g)).toHaveLength(1);
  expect(agent.calls).toEqual(['status']);
});

test('listenHttps does not let a stranger fill the log', async () => {
  const agent = await startAgent(agentIdentity);
  for (let i = 0; i < 30; i++) await speak(agent.listener.port, {});
  expect(agent.log.lines).toHaveLength(10);
});
