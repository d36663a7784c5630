/** Root's kick and a server that runs as another user have one state directory, and see each other's jobs live. */
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { ended, startKick } from '../support/kick.ts';
import { isRoot, OTHER } from '../support/other-user.ts';
import { SERVER_USER, type SharedSite, sharedSite } from '../support/shared-site.ts';
import { addUser, jobDone, signIn, startServer, type WebServer } from './web-site.ts';

const HOSTS = ['web1.example.com', 'web2.example.com'];

let site: SharedSite;
let server: WebServer;
let alice: Record<string, string>;

beforeAll(async () => {
  if (!isRoot) return;
  site = await sharedSite(2, 'echo begin >>"$JOURNAL"; held; echo end >>"$JOURNAL"; exit 2');
  addUser(site, 'alice', '--role', 'admin');
  server = await startServer(site.asServer);
  alice = await signIn(server, 'alice');
});

beforeEach(async () => {
  if (!isRoot) return;
  await allEnd();
  site.hold();
});

const noted = (word: string) =>
  HOSTS.flatMap((name) => site.journal(name)).filter((one) => one === word).length;
const runs = () => noted('begin');

/** A stopped job does not wait for them. */
async function allEnd(): Promise<void> {
  site.release();
  await expect.poll(() => noted('end')).toBe(runs());
}
const get = async (path: string) => (await server.ask(path, { headers: alice })).json;
const post = (path: string, body: object = {}) => server.ask(path, { body, headers: alice });

/** Root's kick, once it runs on one more host. */
async function rootRuns(...words: string[]) {
  const before = runs();
  const child = startKick(words, { env: site.env });
  const over = ended(child);
  await expect.poll(runs).toBe(before + 1);
  const { jobs } = await get('jobs');
  return { child, over, job: jobs[0] };
}

async function serverRuns(host: string): Promise<string> {
  const before = runs();
  const { json } = await post('jobs', { choice: { hosts: [host] }, reason: 'by the server' });
  await expect.poll(runs).toBe(before + 1);
  return json.job;
}

test.skipIf(!isRoot)(
  'root runs a job that the server shows and stops; its files are the server’s',
  async () => {
    const { over, job } = await rootRuns('--all', '--lock', 'nightly', '--concurrency', '1', '--reason', 'x');
    expect(job).toMatchObject({ reason: 'x', hosts: 2, state: 'running' });
    // The lock is shared as well.
    const second = await site.asServer.kick('--all', '--lock', 'nightly');
    expect(second).toMatchObject({ code: 75 });
    expect((await post(`jobs/${job.id}/stop`)).status).toBe(200);
    await allEnd();
    expect(await over).toMatchObject({ err: expect.stringMatching(/alice@\S+ stopped the job/) });
    const folder = join(site.stateDir, 'jobs', job.id);
    const { by } = JSON.parse(readFileSync(join(folder, 'job.json'), 'utf8')).job;
    expect(by.uid).toBe(0);
    for (const name of readdirSync(folder)) {
      const { uid, mode } = statSync(join(folder, name));
      expect({ name, uid, mode: mode & 0o777 }).toEqual({ name, uid: SERVER_USER, mode: 0o600 });
    }
  },
);

test.skipIf(!isRoot)('root watches and stops a job of the server', async () => {
  const job = await serverRuns('web1');
  expect((await site.root('jobs')).out).toContain('by the server');
  const watching = site.root('jobs', 'watch', job);
  expect(await site.root('jobs', 'stop', job)).toMatchObject({ code: 0 });
  await allEnd();
  expect(await jobDone(server, job, alice)).toMatchObject({ state: 'done' });
  expect((await watching).out).toContain('web1.example.com');
});

test.skipIf(!isRoot)('root is killed, and the server resumes its job; no host runs twice', async () => {
  const { child, job } = await rootRuns('web2');
  child.kill('SIGKILL');
  await once(child, 'close');
  const before = runs();
  expect((await post(`jobs/${job.id}/resume`)).status).toBeLessThan(300);
  await allEnd();
  expect(await jobDone(server, job.id, alice)).toMatchObject({ state: 'done' });
  expect(runs()).toBe(before);
});

test.skipIf(!isRoot)('root resumes the job of a server that was killed', async () => {
  const job = await serverRuns('web2');
  const before = runs();
  const gone = once(server.child, 'exit');
  server.child.kill('SIGKILL');
  await gone;
  await allEnd();
  expect(await site.root('jobs', 'resume', job)).toMatchObject({ code: 0 });
  expect(runs()).toBe(before);
  server = await startServer(site.asServer);
  expect((await get(`jobs/${job}`)).state).toBe('done');
});

test.skipIf(!isRoot)('a third user is told to be root', async () => {
  const third = ['setpriv', `--reuid=${OTHER}`, `--regid=${OTHER}`, '--clear-groups'];
  const kick = startKick(['jobs'], { env: site.env, cwd: '/', starter: third });
  expect(await ended(kick)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/its jobs belong to daemon\nhint: run as root: sudo kick/),
  });
});
