/** Who gets in and who does not: sign-in, cookies, other sites, tokens, roles that change, requests that are too much. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { realSite, type Site } from '../support/real-site.ts';
import { type People, writePeople } from './people.ts';
import { PASSWORD, signIn, startServer, type WebServer } from './web-site.ts';

const PEOPLE: People = {
  alice: { role: 'operator' },
  root: { role: 'admin' },
  brief: { role: 'operator' },
  guessed: { role: 'viewer' },
};

let site: Site;
let server: WebServer;

beforeAll(async () => {
  site = await realSite(0, () => '');
  site.controllerYaml({ puppetdb: false });
  site.inventory({ targets: [{ name: 'web1.example.com', uri: '127.0.0.1:9' }] });
  writePeople(site, PEOPLE);
  server = await startServer(site);
});

const signingIn = (name: string, password = PASSWORD) => server.ask('session', { body: { name, password } });

test('a cookie that only this origin gets, and no script reads; nothing of it is kept but a hash', async () => {
  const { headers, status } = await signingIn('alice');
  expect(status).toBe(200);
  const [cookie = '', ...others] = headers['set-cookie'] ?? [];
  expect(others).toEqual([]);
  expect(cookie).toMatch(/^__Host-kick=[A-Za-z0-9]{43}; Path=\/; Secure; HttpOnly; SameSite=Lax$/);
  const secret = cookie.slice('__Host-kick='.length, cookie.indexOf(';'));
  const kept = readFileSync(join(site.env['KICK_STATE_DIR'] ?? '', 'web', 'sessions.json'), 'utf8');
  expect(kept).not.toContain(secret);
});

test('a session that has been signed out is over', async () => {
  const headers = await signIn(server, 'alice');
  expect((await server.ask('session', { method: 'DELETE', headers })).status).toBe(204);
  expect((await server.ask('session', { headers })).status).toBe(401);
});

test('a wrong password and an unknown name get the same answer; too many attempts wait, and only these', async () => {
  const wrong = await signingIn('guessed', 'no, not this one');
  const unknown = await signingIn('nobody-of-us', 'no, not this one');
  expect([wrong.status, wrong.json]).toEqual([401, unknown.json]);
  for (let attempt = 0; attempt < 9; attempt++)
    expect((await signingIn('guessed', 'wrong')).status).toBe(401);
  const refused = await signingIn('guessed');
  expect(refused).toMatchObject({ status: 429, json: { code: 'too-many-requests' } });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  expect((await signingIn('alice')).status).toBe(200);
});

test('whoever has not signed in sends no large body to do so', async () => {
  const { status, json } = await signingIn('alice', 'x'.repeat(20_000));
  expect([status, json.detail]).toEqual([413, 'the limit is 16384 bytes']);
});

test.each([
  [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
  [{ 'Sec-Fetch-Site': 'same-site' }, 403],
  [{ Origin: 'https://evil.example.com' }, 403],
  [{ Origin: 'null' }, 403],
  [{ Origin: 'not an origin' }, 403],
  [{ 'Sec-Fetch-Site': 'same-origin' }, 200],
  [{}, 200],
])('a request with %o is answered with %i', async (more: Record<string, string>, status) => {
  const headers = { ...(await signIn(server, 'alice')), ...more };
  const asked = await server.ask('hosts/resolve', { body: { choice: { hosts: ['web1'] } }, headers });
  expect(asked.status).toBe(status);
  if (status === 403) expect(asked.json.code).toBe('wrong-origin');
});

test('every answer says what browsers may do with it', async () => {
  for (const path of ['/healthz', '/nothing', 'jobs', 'openapi.json']) {
    const { headers } = await server.ask(path);
    expect(headers['content-security-policy']).toMatch(/script-src 'self';.*frame-ancestors 'none'/);
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
    expect(headers['x-frame-options']).toBe('DENY');
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['referrer-policy']).toBe('no-referrer');
    expect(headers['x-powered-by']).toBeUndefined();
    if (!path.startsWith('/')) expect(headers['cache-control']).toBe('no-store');
  }
});

test('a token: shown once, no more than its user, gone when it is revoked', async () => {
  const [alice, root] = [await signIn(server, 'alice'), await signIn(server, 'root')];
  const body = { name: 'ci', role: 'viewer', limits: { maxHosts: 1 } };
  const { json: made, status } = await server.ask('tokens', { body, headers: alice });
  expect([status, made.token]).toEqual([201, expect.stringMatching(/^kick_[A-Za-z0-9]{43}$/)]);
  const headers = { Authorization: `Bearer ${made.token}` };
  expect((await server.ask('session', { headers })).json).toEqual({
    ...{ name: 'alice', role: 'viewer', via: 'token', limits: [{}, { maxHosts: 1 }] },
  });
  const kept = readFileSync(join(site.env['KICK_STATE_DIR'] ?? '', 'web', 'tokens.json'), 'utf8');
  expect(kept).not.toContain(made.token);
  const listed = await server.ask('tokens', { headers: root });
  expect(listed.json.tokens).toMatchObject([{ id: made.id, user: 'alice', name: 'ci' }]);
  expect(listed.text).not.toMatch(/hash|kick_/);
  expect((await server.ask('tokens', { body: { name: 'more' }, headers })).json.detail).toMatch(/^tokens: /);
  const above = await server.ask('tokens', { body: { name: 'ci', role: 'admin' }, headers: alice });
  expect(above).toMatchObject({ status: 403, json: { code: 'not-allowed' } });
  const gone = await server.ask(`tokens/${made.id}`, { method: 'DELETE', headers: alice });
  expect(gone.status).toBe(204);
  expect((await server.ask('session', { headers })).status).toBe(401);
  const audit = await server.ask('audit', { headers: root });
  expect(audit.text).not.toMatch(new RegExp(`${made.token}|${PASSWORD}`));
  expect(audit.json.lines.map(({ who, what, status: one }: never) => [who, what, one])).toContainEqual([
    ...['alice', `DELETE /api/v1/tokens/${made.id}`, 204],
  ]);
});

test('a role that is taken away, an account that is removed or has a new password: at once, in mid-session', async () => {
  const headers = await signIn(server, 'brief');
  const { token } = (await server.ask('tokens', { body: { name: 'x' }, headers })).json;
  const bearer = { Authorization: `Bearer ${token}` };
  const ordering = { body: { choice: { hosts: ['web1'] }, dryRun: true } };
  expect((await server.ask('jobs', { ...ordering, headers })).status).toBe(202);
  writePeople(site, { ...PEOPLE, brief: { role: 'viewer' } });
  for (const who of [headers, bearer]) {
    const refused = await server.ask('jobs', { ...ordering, headers: who });
    expect(refused.json).toMatchObject({
      status: 403,
      detail: 'role: it needs operator, and brief is viewer',
    });
    expect((await server.ask('jobs', { headers: who })).status).toBe(200);
  }
  const { brief: _brief, ...others } = PEOPLE;
  writePeople(site, others);
  for (const who of [headers, bearer]) expect((await server.ask('jobs', { headers: who })).status).toBe(401);
  // Somebody else who gets the same name later is not let in by what is left of the first.
  writePeople(site, PEOPLE, { createdAt: Date.now() });
  for (const who of [headers, bearer]) expect((await server.ask('jobs', { headers: who })).status).toBe(401);
  writePeople(site, PEOPLE);
});

test.each([
  ['no JSON', { raw: '{"choice":', type: 'application/json' }, 400, 'bad-request'],
  ['nesting', { raw: '['.repeat(500), type: 'application/json' }, 400, 'bad-request'],
  [
    'bytes that are no UTF-8',
    { raw: Buffer.from([0x22, 0xff, 0x22]), type: 'application/json' },
    400,
    'bad-request',
  ],
  ['a form', { raw: 'choice=all', type: 'application/x-www-form-urlencoded' }, 415, 'not-json'],
  ['no type', { raw: '{}', type: undefined }, 415, 'not-json'],
  ['2 MB', { raw: `"${'x'.repeat(2 << 20)}"`, type: 'application/json' }, 413, 'too-large'],
  ['a choice of nobody', { raw: '{"choice":{}}', type: 'application/json' }, 422, 'bad-choice'],
  [
    'an expression that ends early',
    { raw: '{"choice":{"hosts":["web[1-"]}}', type: 'application/json' },
    422,
    'bad-choice',
  ],
])('%s', async (_what, { raw, type }, status, code) => {
  const headers = { ...(await signIn(server, 'alice')), ...(type !== undefined && { 'Content-Type': type }) };
  const { json } = await server.ask('hosts/resolve', { method: 'POST', raw, headers });
  expect(json).toMatchObject({ status, code, type: `urn:kick:problem:${code}` });
});

test('every wrong field is named, and nothing begins', async () => {
  const headers = await signIn(server, 'alice');
  const body = { choice: { hosts: ['web1'], all: 1 }, rollout: { canary: 0 }, concurency: 5 };
  const { json, status } = await server.ask('jobs', { body, headers });
  expect(status).toBe(400);
  expect(json.errors.map(({ path }: { path: string }) => path).sort()).toEqual([
    ...['body.choice.all', 'body.concurency', 'body.rollout.canary'],
  ]);
  expect((await server.ask('jobs', { headers })).json.jobs).toEqual([]);
});

test('a choice that is empty or cannot be read is wrong at a path', async () => {
  const headers = await signIn(server, 'alice');
  const fieldOf = async (choice: object) =>
    (await server.ask('jobs', { body: { choice }, headers })).json.errors[0].path;
  expect(await fieldOf({ hosts: [] })).toBe('body.choice');
  expect(await fieldOf({ hosts: ['web1', 'web['] })).toBe('body.choice.hosts.1');
  expect(await fieldOf({ hosts: ['web1'], exclude: ['web['] })).toBe('body.choice.exclude.0');
});

test.each([
  ['jobs?cursor=xyz', 400],
  ['jobs?cursor=WyIxIl0&cursor=WyIyIl0', 400],
  ['jobs?limit=0', 400],
  ['jobs?offset=5', 400],
  ['jobs?outcome=great', 400],
  ['audit?cursor=-1', 400],
  ['audit?cursor=1e3', 400],
  ['jobs/00000000', 404],
  ['jobs/last', 404],
  ['jobs/..%2f..%2fetc', 400],
  ['jobs/%zz', 400],
  ['jobs/last/hosts/web1', 404],
  ['nothing', 404],
])('GET %s is answered with %i', async (path, status) => {
  const { json } = await server.ask(path, { headers: await signIn(server, 'root') });
  expect(json).toMatchObject({ status });
});

test('a method that a route does not have, an address in full that is none', async () => {
  const headers = await signIn(server, 'root');
  const put = await server.ask('jobs', { method: 'PUT', headers });
  expect([put.status, put.headers['allow']]).toEqual([405, 'POST, GET']);
  const odd = request({ ...server.options('jobs', { headers }), path: 'https://[x/api/v1/jobs?limit=1' });
  odd.end();
  const [response] = await once(odd, 'response');
  response.resume();
  expect(response.statusCode).toBeLessThan(500);
});
