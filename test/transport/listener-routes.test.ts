/** The routes of the listener, and what each refusal and error is to HTTP. */
import { expect, test } from 'vitest';
import { REFUSALS, Refusal, type RefusalCode } from '../../src/protocol/refusal.ts';
import { agentIdentity, ask } from './asking.ts';
import { head, JOB, post, speak, startAgent } from './support.ts';

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
      events: async ({ job, after }) => {
        seen.push(job, after);
        return async function* () {};
      },
    },
  });
  expect(seen).toEqual([JOB, 17]);
});

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
