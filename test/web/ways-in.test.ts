/** Other ways in than a password: certificates, a provider of OpenID Connect, webhooks; and what anybody may read. */
import { createHmac } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OAuth2Server } from 'oauth2-mock-server';
import { beforeAll, expect, test } from 'vitest';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { afterwards } from '../support/afterwards.ts';
import { realSite, SITE_CONTROLLER, type Site } from '../support/real-site.ts';
import { tempFolder } from '../support/temp.ts';
import { writePeople } from './people.ts';
import { jobDone, type Pair, signIn, startServer, type WebServer } from './web-site.ts';

const SECRET = 'a secret of some length';

let site: Site;
let server: WebServer;
let provider: OAuth2Server;

beforeAll(async () => {
  site = await realSite(1, () => 'exit 2');
  writePeople(site, { root: { role: 'admin' } });
  provider = new OAuth2Server();
  await provider.issuer.keys.generate('RS256');
  await provider.start(0, 'localhost');
  afterwards(() => provider.stop());
  const secret = join(site.folder, 'secret');
  writeFileSync(secret, `${SECRET}\n`);
  const hook = { secret_file: secret, hosts: 'web1', branches: { production: 'production', '*': '*' } };
  site.controllerYaml({
    puppetdb: false,
    web: {
      url: 'https://kick.example.com:8443',
      metrics: true,
      certificates: [{ name: SITE_CONTROLLER, role: 'operator', noop_only: true }],
      oidc: {
        ...{ issuer: provider.issuer.url, client_id: 'kick' },
        groups: [
          { name: 'ops', role: 'operator', max_hosts: 5 },
          { name: 'all', role: 'viewer' },
        ],
      },
      hooks: [
        { name: 'github', kind: 'github', ...hook },
        { name: 'gitlab', kind: 'gitlab', ...hook, branches: { main: 'production' } },
        { name: 'ours', kind: 'kick', ...hook },
        { name: 'lost', kind: 'gitlab', ...hook, secret_file: join(site.folder, 'none') },
      ],
    },
  });
  server = await startServer(site);
});

const pairOf = (pki: string, name: string): Pair => ({
  cert: readFileSync(join(pki, 'certs', `${name}.pem`)),
  key: readFileSync(join(pki, 'private_keys', `${name}.pem`)),
});

test('a certificate of our CA that controller.yaml names may come in, others may not', async () => {
  const pki = site.env['KICK_PKI_DIR'] ?? '';
  const known = await server.ask('session', { pair: pairOf(pki, SITE_CONTROLLER) });
  expect(known.json).toEqual({
    ...{ name: SITE_CONTROLLER, role: 'operator', limits: [{ noopOnly: true }], via: 'certificate' },
  });
  expect((await server.ask('session', { pair: pairOf(pki, 'web1.example.com') })).status).toBe(401);
  const [elsewhere, other] = [tempFolder(), mintCa()];
  other.write(elsewhere, other.issue(SITE_CONTROLLER));
  expect((await server.ask('session', { pair: pairOf(elsewhere, SITE_CONTROLLER) })).status).toBe(401);
  const body = { choice: { hosts: ['web1'] }, dryRun: true };
  const refused = await server.ask('jobs', { body, pair: pairOf(pki, SITE_CONTROLLER) });
  expect(refused.json).toMatchObject({ status: 403, detail: expect.stringMatching(/^noop only/) });
});

/** Goes to the provider and comes back; `claims` are what it says. */
async function come(claims: object, { otherState = false } = {}) {
  const say = (token: { payload: object }) => void Object.assign(token.payload, claims);
  provider.service.on('beforeTokenSigning', say);
  const begun = await server.ask('/auth/oidc');
  expect(begun.status).toBe(302);
  const location = new URL(String(begun.headers['location']));
  expect(Object.fromEntries(location.searchParams)).toMatchObject({
    ...{ response_type: 'code', code_challenge_method: 'S256', client_id: 'kick' },
    redirect_uri: 'https://kick.example.com:8443/auth/oidc/callback',
  });
  const [cookie = ''] = begun.headers['set-cookie'] ?? [];
  expect(cookie).toMatch(/^__Host-kick-oidc=[\w-]+; Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=600$/);
  const there = await fetch(location, { redirect: 'manual' });
  const back = new URL(there.headers.get('location') ?? '');
  if (otherState) back.searchParams.set('state', 'another');
  const headers = { Cookie: cookie.split(';')[0] ?? '' };
  const reply = await server.ask(`${back.pathname}${back.search}`, { headers });
  provider.service.off('beforeTokenSigning', say);
  return reply;
}

test('people of the provider come in with the role of their group, and no redirect leads elsewhere', async () => {
  const { status, headers } = await come({ preferred_username: 'olga', groups: ['staff', 'ops', 'all'] });
  expect([status, headers['location']]).toEqual([303, '/']);
  const cookie = headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  const signedIn = { Cookie: cookie };
  expect((await server.ask('session', { headers: signedIn })).json).toEqual({
    ...{ name: 'olga', role: 'operator', limits: [{ maxHosts: 5 }], via: 'session' },
  });
  const token = await server.ask('tokens', { body: { name: 'x' }, headers: signedIn });
  expect(token.json).toMatchObject({ status: 403, detail: 'tokens: olga has no account here' });
  // Whoever gets an account here later is somebody else.
  writePeople(site, { root: { role: 'admin' }, olga: { role: 'viewer' } });
  expect((await server.ask('session', { headers: signedIn })).status).toBe(401);
  writePeople(site, { root: { role: 'admin' } });
});

test.each([
  ['in no group that may come in', { preferred_username: 'eve', groups: ['staff'] }, 403],
  ['without groups', { preferred_username: 'eve' }, 403],
  ['without a name', { groups: ['ops'] }, 401],
  ['with the name of a local account', { preferred_username: 'root', groups: ['ops'] }, 403],
])('somebody %s is refused', async (_what, claims, expected) => {
  const { status, headers } = await come(claims);
  expect([status, headers['set-cookie']]).toEqual([expected, undefined]);
});

test('who did not begin here, or comes with another state, is refused', async () => {
  expect((await server.ask('/auth/oidc/callback?code=x&state=y')).status).toBe(401);
  expect((await come({}, { otherState: true })).status).toBe(401);
});

const sign = (text: string) => `sha256=${createHmac('sha256', SECRET).update(text).digest('hex')}`;

const send = (name: string, raw: string, headers: Record<string, string>) =>
  server.ask(`/hooks/${name}`, {
    method: 'POST',
    raw,
    headers: { 'Content-Type': 'application/json', ...headers },
  });

test('a push to a branch runs Puppet in its environment, if its sender knows the secret', async () => {
  const root = await signIn(server, 'root');
  const github = JSON.stringify({ ref: 'refs/heads/feature/x-1' });
  const forged = await send('github', github, { 'X-Hub-Signature-256': sign(`${github} `) });
  expect(forged.json).toMatchObject({ status: 401, code: 'not-signed-in' });
  expect((await send('github', github, {})).status).toBe(401);
  const pushed = await send('github', github, { 'X-Hub-Signature-256': sign(github) });
  expect([pushed.status, pushed.text]).toEqual([202, expect.stringContaining('"job"')]);
  const job = await jobDone(server, pushed.json.job, root);
  expect(job).toMatchObject({ action: { environment: 'feature_x_1' }, by: { user: 'hook-github' } });

  const gone = JSON.stringify({ ref: 'feature', ref_type: 'branch' });
  const ofGone = { 'X-Hub-Signature-256': sign(gone), 'X-GitHub-Event': 'delete' };
  expect((await send('github', gone, ofGone)).json).toEqual({ message: 'nothing is done for this event' });

  const gitlab = JSON.stringify({ ref: 'refs/heads/other' });
  expect((await send('gitlab', gitlab, { 'X-Gitlab-Token': 'wrong' })).status).toBe(401);
  const ignored = await send('gitlab', gitlab, { 'X-Gitlab-Token': SECRET });
  expect(ignored.json).toEqual({ message: 'nothing is done for the branch "other"' });

  const [ours, at] = [JSON.stringify({ branch: 'production' }), Math.floor(Date.now() / 1000)];
  const signed = (time: number) => ({
    'X-Kick-Timestamp': `${time}`,
    'X-Kick-Signature': sign(`${time}.${ours}`),
  });
  expect((await send('ours', ours, signed(at - 3600))).status).toBe(401);
  const kicked = await send('ours', ours, signed(at));
  expect(kicked.status).toBe(202);
  await jobDone(server, kicked.json.job, root);
  const audit = await server.ask('audit', { headers: root });
  expect(audit.text).toContain('"what":"POST /hooks/ours"');
  expect(audit.text).not.toContain(SECRET);
});

test.each([
  ['gitlab', 'no JSON', 400],
  ['gitlab', '"main"', 400],
  ['gitlab', '{"ref":"refs/heads/main","after":"0000000000000000000000000000000000000000"}', 202],
  ['gitlab', '{"ref":"refs/tags/main"}', 202],
  ['none', '{}', 404],
])('POST /hooks/%s with %s is answered with %i, and starts nothing', async (name, raw, status) => {
  const reply = await send(name, raw, { 'X-Gitlab-Token': SECRET });
  expect([reply.status, reply.json.job]).toEqual([status, undefined]);
});

test('a hook without its secret says so to its server, and to strangers neither where nor why', async () => {
  const { status, text } = await send('lost', '{}', { 'X-Gitlab-Token': '' });
  expect([status, text]).toEqual([503, expect.stringContaining('this hook cannot be used now')]);
  expect(text).not.toContain(site.folder);
});

test('anybody may read how well it is, and its metrics where that is configured', async () => {
  expect((await server.ask('/healthz')).text).toBe('ok\n');
  const { text, headers } = await server.ask('/metrics');
  expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(text).toMatch(/^kick_serve_jobs_running 0$/m);
  for (const what of ['certificate', 'ca', 'crl', 'page_certificate'])
    expect(text).toMatch(new RegExp(`^kick_serve_${what}_end_timestamp_seconds \\d{10}`, 'm'));
  expect(text).toMatch(/^kick_serve_requests_total\{method="GET",status="200"\} \d+$/m);
});
