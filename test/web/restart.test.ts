/** What a server that is killed was about to do, the next one does; what it did already is not done again. */
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { realSite, type Site } from '../support/real-site.ts';
import { writePeople } from './people.ts';
import { jobDone, signIn, startServer, type WebServer } from './web-site.ts';

const SECRET = 'a secret of some length';

let site: Site;
let server: WebServer;
let alice: Record<string, string>;

beforeAll(async () => {
  site = await realSite(2, () => 'echo begin >>"$JOURNAL"; held; exit 2');
  const secret = join(site.folder, 'secret');
  writeFileSync(secret, SECRET, { mode: 0o600 });
  site.controllerYaml({
    puppetdb: false,
    web: {
      hooks: [
        {
          name: 'repo',
          kind: 'gitlab',
          secret_file: secret,
          hosts: 'web1',
          branches: { main: 'production' },
        },
      ],
    },
  });
  writePeople(site, { alice: { role: 'operator' } });
});

beforeEach(async () => {
  site.hold();
  server = await startServer(site);
  alice = await signIn(server, 'alice');
});

const runs = () => site.journal('web1.example.com').filter((word) => word === 'begin').length;

const start = (body: object = {}, more: Record<string, string> = {}) =>
  server.ask('jobs', { body: { choice: { hosts: ['web1'] }, ...body }, headers: { ...alice, ...more } });

async function killAndRestart(): Promise<void> {
  const gone = once(server.child, 'exit');
  server.child.kill('SIGKILL');
  await gone;
  server = await startServer(site);
}

/** A job that nobody has gone on with yet counts as died. */
async function done(job: string) {
  await expect
    .poll(async () => (await server.ask(`jobs/${job}`, { headers: alice })).json.state)
    .toBe('done');
  return jobDone(server, job, alice);
}

/** As many jobs as the store knows. */
const jobs = async () => (await server.ask('jobs', { headers: alice })).json.jobs;

test('a key is known after the server was killed, with its answer, and for another request it is refused', async () => {
  site.release();
  const keyed = { 'Idempotency-Key': 'release-42' };
  const first = await start({}, keyed);
  await jobDone(server, first.json.job, alice);
  const before = runs();
  await killAndRestart();
  expect((await start({}, keyed)).json).toEqual(first.json);
  expect((await start({ reason: 'another' }, keyed)).json).toMatchObject({ status: 409, code: 'conflict' });
  expect(runs()).toBe(before);
});

test('a job that waits for its lock waits on, and runs once', async () => {
  const before = runs();
  const first = (await start({ lock: 'nightly' })).json.job;
  await expect.poll(runs).toBe(before + 1);
  const keyed = { 'Idempotency-Key': 'waits' };
  const wish = { lock: 'nightly', lockWait: 3600 };
  const second = (await start(wish, keyed)).json.job;
  await killAndRestart();
  expect((await start(wish, keyed)).json.job).toBe(second);
  site.release();
  expect((await done(first)).counts).toEqual({ changed: 1 });
  expect((await done(second)).counts).toEqual({ changed: 1 });
  expect(runs()).toBe(before + 2);
});

test('a job that waited and cannot be read any more does not vanish: it says so, and its key begins no other', async () => {
  const before = runs();
  const first = (await start({ lock: 'nightly' })).json.job;
  await expect.poll(runs).toBe(before + 1);
  const keyed = { 'Idempotency-Key': 'waits-in-vain' };
  const wish = { lock: 'nightly', lockWait: 3600 };
  const second = (await start(wish, keyed)).json.job;
  // Of one that has begun, nothing is lost with it.
  for (const job of [first, second]) damageMarker(job);
  await killAndRestart();
  site.release();
  expect((await done(first)).counts).toEqual({ changed: 1 });
  expect((await start(wish, keyed)).json.job).toBe(second);
  expect((await server.ask(`jobs/${second}`, { headers: alice })).json).toMatchObject({
    status: 404,
    detail: expect.stringMatching(/waited for its lock, and is left alone: .*its checksum is wrong/),
  });
  expect(runs()).toBe(before + 1);
});

function damageMarker(job: string): void {
  const path = join(site.env['KICK_STATE_DIR'] ?? '', 'web', 'running', job);
  writeFileSync(path, readFileSync(path, 'utf8').replace('nightly', 'nightlx'));
}

test('a job that was told to stop is not begun on further hosts by the next server', async () => {
  const wish = { choice: { hosts: ['web1', 'web2'] }, concurrency: 1 };
  const before = runs();
  const { job } = (await start(wish)).json;
  await expect.poll(runs).toBe(before + 1);
  expect((await server.ask(`jobs/${job}/stop`, { body: {}, headers: alice })).status).toBe(200);
  await killAndRestart();
  site.release();
  expect((await done(job)).counts).toEqual({ changed: 1, 'not-started': 1 });
  expect(site.journal('web2.example.com')).toEqual([]);
});

test('a push whose job waits for the one before is not lost', async () => {
  const before = runs();
  const push = () =>
    server.ask('/hooks/repo', {
      ...{ method: 'POST', raw: '{"ref":"refs/heads/main"}' },
      headers: { 'Content-Type': 'application/json', 'X-Gitlab-Token': SECRET },
    });
  // The runner of the test's host knows no environments: a push would not hold it.
  const first = (await start({ lock: 'hook-repo-production' })).json.job;
  await expect.poll(runs).toBe(before + 1);
  const second = (await push()).json.job;
  expect((await push()).json.job).toBeUndefined();
  await killAndRestart();
  site.release();
  await done(first);
  expect(await done(second)).toMatchObject({ by: { user: 'hook-repo' }, hosts: 1 });
});

test('a schedule that waits for its last job starts the next, once', async () => {
  const before = runs();
  const wish = { name: 'often', cron: '0 3 1 1 *', zone: 'UTC', choice: { hosts: ['web1'] } };
  await server.ask('schedules', { body: { ...wish, ifStillRunning: 'wait' }, headers: alice });
  const run = () => server.ask('schedules/often/run', { body: {}, headers: alice });
  const first = (await run()).json.job;
  await expect.poll(runs).toBe(before + 1);
  const lost = run().catch(() => undefined); // its server is killed
  const file = join(site.env['KICK_STATE_DIR'] ?? '', 'web', 'schedules.json');
  await expect.poll(() => readFileSync(file, 'utf8')).toContain('waitsFor');
  await killAndRestart();
  await lost;
  const known = (await jobs()).length;
  site.release();
  await done(first);
  await expect.poll(async () => (await jobs()).length).toBe(known + 1);
  await expect.poll(runs).toBe(before + 2);
  const history = async () => (await server.ask('schedules', { headers: alice })).json.schedules[0].history;
  await expect.poll(history).toMatchObject([{ result: 'started' }, { result: 'started', job: first }]);
  expect(readFileSync(file, 'utf8')).not.toContain('waitsFor');
});
