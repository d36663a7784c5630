/** `kick serve`: a job from signing in to its end, seen from the command line as well. */
import { once } from 'node:events';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { News } from '../../src/web/api/news.ts';
import { ended } from '../support/kick.ts';
import { realSite } from '../support/real-site.ts';
import { addUser, signIn, startServer, type WebServer } from './web-site.ts';

/** The news of a job until its stream says that it is over. */
async function newsOf(server: WebServer, job: string, headers: Record<string, string>): Promise<News[]> {
  const asking = request(server.options(`jobs/${job}/events`, { headers }));
  asking.end();
  const [response] = await once(asking, 'response');
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  const news: News[] = [];
  for await (const line of createInterface(response)) {
    if (line.startsWith('data: [')) news.push(...JSON.parse(line.slice(6)));
  }
  return news;
}

test('a job is started, watched and read by people who have signed in, and by the command line', async () => {
  const site = await realSite(3, (_name, index) => `exit ${index === 1 ? 1 : 2}`);
  site.controllerYaml({ puppetdb: false });
  addUser(site, 'alice', '--role', 'operator');
  const server = await startServer(site);
  expect(await server.ask('jobs')).toMatchObject({ status: 401, json: { code: 'not-signed-in' } });
  const headers = await signIn(server, 'alice');
  expect((await server.ask('session', { headers })).json).toMatchObject({ name: 'alice', role: 'operator' });

  const choice = { hosts: ['web[1-3]'] };
  const resolved = await server.ask('hosts/resolve', { body: { choice }, headers });
  expect(resolved.json).toMatchObject({
    chosen: 3,
    hosts: [{ certname: 'web1.example.com', isIn: true }, {}, {}],
  });

  const plan = await server.ask('jobs', { body: { choice, dryRun: true }, headers });
  expect(plan).toMatchObject({ status: 202, json: { plan: { hosts: site.names } } });
  expect(plan.json.job).toBeUndefined();
  expect((await server.ask('jobs', { headers })).json).toEqual({ jobs: [] });

  const started = await server.ask('jobs', { body: { choice, reason: 'a try' }, headers });
  expect(started.status).toBe(202);
  const { job } = started.json;
  const news = await newsOf(server, job, headers);
  expect(news.at(0)).toMatchObject({ type: 'job', id: job, hosts: 3 });
  expect(news.at(-1)).toMatchObject({ type: 'done' });
  const ends = news.flatMap((one) => (one.type === 'end' ? [[one.certname, one.outcome]] : []));
  expect(Object.fromEntries(ends)).toEqual({
    'web1.example.com': 'changed',
    'web2.example.com': 'failed',
    'web3.example.com': 'changed',
  });
  expect((await server.ask(`jobs/${job}`, { headers })).json).toMatchObject({
    state: 'done',
    by: { user: 'alice', reason: 'a try' },
    counts: { changed: 2, failed: 1 },
    exit: 1,
  });
  const failed = await server.ask(`jobs/${job}/hosts?outcome=failed`, { headers });
  expect(failed.json).toMatchObject({ total: 1, hosts: [{ certname: 'web2.example.com' }] });
  const shown = await site.kick('jobs', 'show', 'last', '--format', 'json');
  expect(JSON.parse(shown.out)).toMatchObject({ job, by: { user: 'alice' }, exit: 1 });
});

test('a second server on the same port ends with what to type', async () => {
  const site = await realSite(1, () => 'exit 0');
  site.controllerYaml({ puppetdb: false });
  const server = await startServer(site);
  const second = site.start('serve', '--port', String(server.port), '--bind', '127.0.0.1');
  expect(await ended(second)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/hint: something listens there already.*ss -ltnp.*--port takes another/),
  });
});
