/** Whoever has limits gets no further by what others, or they themselves without them, have made. */
import { once } from 'node:events';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { startKick } from '../support/kick.ts';
import { realSite, type Site } from '../support/real-site.ts';
import { type People, writePeople } from './people.ts';
import { jobDone, signIn, startServer, type WebServer } from './web-site.ts';

const HOST = 'web1.example.com';
const OTHER = 'web2.example.com';
const choice = { hosts: ['web[1-2]'] };

const PEOPLE: People = {
  alice: { role: 'operator' },
  root: { role: 'admin' },
  few: { role: 'admin', limits: { hosts: 'web1' } },
  looks: { role: 'viewer', limits: { hosts: 'web1' } },
};

type Headers = Record<string, string>;

let site: Site;
let server: WebServer;
let alice: Headers;
let few: Headers;
let looks: Headers;
/** Tokens of alice's. */
let onHost: Headers;
let noop: Headers;

beforeAll(async () => {
  site = await realSite(2, () => 'echo secret; held; exit 2');
  site.controllerYaml({ puppetdb: false });
  writePeople(site, PEOPLE);
  server = await startServer(site);
  [alice, few, looks] = [
    await signIn(server, 'alice'),
    await signIn(server, 'few'),
    await signIn(server, 'looks'),
  ];
  const tokenWith = async (limits: object) => {
    const { json } = await server.ask('tokens', { body: { name: 'x', limits }, headers: alice });
    return { Authorization: `Bearer ${json.token}` };
  };
  [onHost, noop] = [await tokenWith({ hosts: 'web1' }), await tokenWith({ noopOnly: true })];
});

beforeEach(() => site.hold());

async function asked(): Promise<string> {
  const body = { choice, rollout: { canary: 1, confirm: true } };
  const { job } = (await server.ask('jobs', { body, headers: alice })).json;
  site.release();
  await expect
    .poll(async () => (await server.ask(`jobs/${job}`, { headers: alice })).json.question)
    .toBeDefined();
  return job;
}

test('a token with limits neither goes on with nor ends a job of its owner that it could not start', async () => {
  const job = await asked();
  for (const headers of [onHost, noop]) {
    for (const [what, body] of [
      ['confirm', { goOn: true }],
      ['stop', {}],
      ['cancel', {}],
    ] as const) {
      const { json } = await server.ask(`jobs/${job}/${what}`, { body, headers });
      expect(json).toMatchObject({ status: 403, code: 'not-allowed' });
    }
  }
  expect((await server.ask(`jobs/${job}/confirm`, { body: { goOn: true }, headers: alice })).status).toBe(
    200,
  );
  expect((await jobDone(server, job, alice)).counts).toEqual({ changed: 2 });
});

test('a schedule is run, unpaused, replaced and deleted by nobody with fewer rights than it has', async () => {
  const body = { name: 'all', cron: '0 3 * * *', zone: 'UTC', choice };
  expect((await server.ask('schedules', { body, headers: alice })).status).toBe(200);
  for (const headers of [onHost, noop, few]) {
    for (const [path, options] of [
      ['schedules/all/run', { body: {} }],
      ['schedules/all/pause', { body: { paused: false } }],
      ['schedules', { body: { ...body, action: { noop: true } } }],
      ['schedules/all', { method: 'DELETE' }],
    ] as const) {
      const { json } = await server.ask(path, { ...options, headers });
      expect([path, json]).toMatchObject([path, { status: 403, code: 'not-allowed' }]);
    }
  }
  const own = await server.ask('schedules', { body: { ...body, name: 'own' }, headers: onHost });
  expect(own.status).toBe(200);
  site.release();
  const { job } = (await server.ask('schedules/own/run', { body: {}, headers: onHost })).json;
  expect((await jobDone(server, job, alice)).hosts).toBe(1);
  expect((await server.ask('schedules/all', { method: 'DELETE', headers: alice })).status).toBe(204);
});

test('of a job of others they see their own hosts: the list, the changes, the log, the stream', async () => {
  site.release();
  const { job } = (await server.ask('jobs', { body: { choice }, headers: alice })).json;
  await jobDone(server, job, alice);
  const list = (headers: Headers) => server.ask(`jobs/${job}/hosts`, { headers });
  expect((await list(alice)).json.total).toBe(2);
  for (const headers of [looks, onHost]) {
    const { json } = await list(headers);
    expect(json).toMatchObject({ total: 1, hosts: [{ certname: HOST }] });
    expect((await server.ask(`jobs/${job}/changes`, { headers })).text).not.toContain(OTHER);
    expect((await server.ask(`jobs/${job}/hosts/${HOST}`, { headers })).status).toBe(200);
    const other = await server.ask(`jobs/${job}/hosts/${OTHER}`, { headers });
    expect(other.json).toMatchObject({ status: 403, detail: expect.stringMatching(/^hosts: /) });
    const stream = await streamed(job, headers);
    expect(stream).toContain(HOST);
    expect(stream).not.toContain(OTHER);
    expect(stream).not.toContain('"hosts":2');
    // What is counted is counted of these.
    const shown = await server.ask(`jobs/${job}`, { headers });
    expect(shown.json).toMatchObject({ hosts: 1, counts: { changed: 1 } });
    expect(shown.text).not.toContain(OTHER);
    const [line] = (await server.ask('jobs?limit=1', { headers })).json.jobs;
    expect(line).toMatchObject({ id: job, state: 'done' });
    for (const total of ['hosts', 'counts', 'exit']) expect(line).not.toHaveProperty(total);
    expect((await server.ask('jobs?outcome=failed', { headers })).status).toBe(403);
    const { jobs } = (await server.ask(`hosts/${HOST}`, { headers })).json;
    expect(jobs[0]).toMatchObject({ job: { id: job }, host: { outcome: 'changed' } });
    expect(jobs[0].job).not.toHaveProperty('counts');
  }
  expect((await server.ask(`jobs/${job}`, { headers: alice })).json).toMatchObject({ hosts: 2 });
  expect(await streamed(job, alice)).toContain(OTHER);
});

test("a job of the Unix user whose name is the account is not the account's", async () => {
  const env = { ...site.env, SUDO_USER: 'few' };
  const typed = startKick(['run', 'web1', '--quiet'], { env });
  const latest = async () => (await server.ask('jobs?limit=1', { headers: few })).json.jobs[0];
  await expect.poll(latest).toMatchObject({ state: 'running', by: expect.stringMatching(/^few@/) });
  const { id } = await latest();
  for (const what of ['stop', 'cancel']) {
    const { json } = await server.ask(`jobs/${id}/${what}`, { body: {}, headers: few });
    expect(json).toMatchObject({ status: 403, detail: expect.stringMatching(/^own jobs: /) });
  }
  site.release();
  await new Promise((resolve) => typed.once('exit', resolve));
  const rerun = { body: { outcomes: ['changed'] }, headers: few };
  expect((await server.ask(`jobs/${id}/rerun`, rerun)).status).toBe(403);
  const own = (await server.ask('jobs', { body: { choice: { hosts: ['web1'] } }, headers: few })).json.job;
  await jobDone(server, own, few);
  expect((await server.ask(`jobs/${own}/rerun`, rerun)).status).toBe(202);
});

async function streamed(job: string, headers: Headers): Promise<string> {
  const asking = request(server.options(`jobs/${job}/events`, { headers }));
  asking.end();
  const [response] = await once(asking, 'response');
  return text(response);
}

test('the page of a host is of a host, not of an expression', async () => {
  for (const name of ['@all', 'web*', 'web[1-2].example.com', `${HOST},${OTHER}`, 'x%3D1']) {
    const { json } = await server.ask(`hosts/${name}`, { headers: alice });
    expect([400, 404, undefined], name).toContain(json.status);
    expect([name, json.now?.status]).toEqual([name, undefined]);
    expect((await server.ask(`hosts/${name}`, { headers: looks })).status, name).toBeGreaterThanOrEqual(400);
  }
  expect((await server.ask(`hosts/${HOST}`, { headers: looks })).status).toBe(200);
  expect((await server.ask(`hosts/${OTHER}`, { headers: looks })).status).toBe(403);
});
