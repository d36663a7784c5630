/** What lists, audit and hosts say of a site with a host that ends and one that still runs. */
import { beforeAll, expect, test } from 'vitest';
import { stateLineOf } from '../../src/web/server/handlers/host-view.ts';
import { openRecentJobs } from '../../src/web/server/jobs/recent-jobs.ts';
import { realSite, type Site } from '../support/real-site.ts';
import { writePeople } from './people.ts';
import { jobDone, signIn, startServer, type WebServer } from './web-site.ts';

const ONE = 'web1.example.com';

let site: Site;
let server: WebServer;
let headers: Record<string, string>;

beforeAll(async () => {
  site = await realSite(2, (_name, index) => (index === 0 ? 'exit 0' : 'held; exit 2'));
  site.controllerYaml({ puppetdb: false });
  writePeople(site, { root: { role: 'admin' } });
  server = await startServer(site);
  headers = await signIn(server, 'root');
});

test('the list of jobs counts the hosts of one that runs, of the server and of the command line', async () => {
  const latest = async () => (await server.ask('jobs?limit=1', { headers })).json.jobs[0];
  const body = { choice: { all: true } };
  const { job } = (await server.ask('jobs', { body, headers })).json;
  await expect.poll(latest).toMatchObject({ id: job, state: 'running', counts: { unchanged: 1 } });
  site.release();
  await jobDone(server, job, headers);
  expect(await latest()).toMatchObject({ state: 'done', counts: { unchanged: 1, changed: 1 } });
  site.hold();
  const typed = site.start('run', 'web[1-2]', '--quiet');
  await expect.poll(latest).toMatchObject({ state: 'running', counts: { unchanged: 1 } });
  site.release();
  await new Promise((resolve) => typed.once('exit', resolve));
});

test('the audit counts one host as one', async () => {
  await server.ask('fleet/disable', { body: { choice: { hosts: ['web1'] }, reason: 'a disk' }, headers });
  await server.ask('fleet/enable', { body: { choice: { all: true }, force: true }, headers });
  const { lines } = (await server.ask('audit', { headers })).json;
  const details = lines.map(({ detail }: { detail?: string }) => detail);
  expect(details).toEqual(expect.arrayContaining(['disable 1 host', 'enable 2 hosts']));
});

test.each(['x=1', '@all', 'web*', 'a&b'])('%s is the name of a host, not an expression', async (name) => {
  const { status, json } = await server.ask(`hosts/${encodeURIComponent(name)}`, { headers });
  expect([200, 404]).toContain(status);
  if (status === 200)
    expect(json).toMatchObject({ certname: name, now: { certname: name, state: 'no answer' } });
});

test('a host that was not waited for is silent, in words', () => {
  const target = { certname: ONE, host: ONE, port: 8139 };
  const line = stateLineOf({ target, error: 'given up before the answer', failure: 'aborted' });
  expect(line).toEqual({ certname: ONE, state: 'no answer', error: 'no answer within 20 seconds' });
});

test('a job whose reading takes long is read once for many, and anew when it ends here', async () => {
  const time = { now: 0 };
  let [reads, isHere] = [0, true];
  const job = async () => {
    reads += 1;
    time.now += 100;
    // biome-ignore lint/suspicious/noExplicitAny: only whether it has ended is looked at
    return {} as any;
  };
  const { read } = openRecentJobs(
    { job, clock: { now: () => time.now, monotonic: () => time.now } },
    () => isHere,
  );
  await Promise.all(Array.from({ length: 100 }, () => read('one')));
  await read('one');
  expect(reads).toBe(1);
  isHere = false;
  await read('one');
  expect(reads).toBe(2);
  time.now += 5000;
  await read('one');
  expect(reads).toBe(3);
});
