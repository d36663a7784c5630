/** Jobs by several people, over broken connections, and over the death of the server; each host runs once. */
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import type { News } from '../../src/web/api/news.ts';
import { realSite, type Site } from '../support/real-site.ts';
import { writePeople } from './people.ts';
import { jobDone, signIn, startServer, type WebServer } from './web-site.ts';

let site: Site;
let server: WebServer;
let alice: Record<string, string>;
let bob: Record<string, string>;
let limited: Record<string, string>;

beforeAll(async () => {
  site = await realSite(3, () => 'echo begin >>"$JOURNAL"; held; echo end >>"$JOURNAL"; exit 2');
  site.controllerYaml({ puppetdb: false });
  site.inventory({ groups: [{ name: 'dmz', targets: ['web1.example.com', 'web2.example.com'] }] });
  writePeople(site, {
    alice: { role: 'operator' },
    bob: { role: 'operator' },
    limited: {
      role: 'operator',
      limits: { hosts: '@dmz', maxHosts: 1, environments: ['test'], noopOnly: true },
    },
  });
  server = await startServer(site);
  [alice, bob, limited] = [
    await signIn(server, 'alice'),
    await signIn(server, 'bob'),
    await signIn(server, 'limited'),
  ];
});

beforeEach(() => site.hold());

const runs = (name: string) => site.journal(name).filter((word) => word === 'begin').length;

const start = (body: object, headers: Record<string, string>) =>
  server.ask('jobs', { body: { choice: { hosts: ['web1'] }, ...body }, headers });

/** Waits until a run has begun. */
async function begun(name: string, before: number): Promise<void> {
  await expect.poll(() => runs(name)).toBe(before + 1);
}

/** Messages of a job's stream, by their ids, until `enough`, or its end. */
async function messages(
  job: string,
  headers: Record<string, string>,
  enough: (news: News[]) => boolean = () => false,
): Promise<{ id: string; news: News[] }[]> {
  const asking = request(server.options(`jobs/${job}/events`, { headers }));
  asking.end();
  const [response] = await once(asking, 'response');
  const lines = createInterface(response);
  // It is broken off below; newer Nodes say so of the lines as well.
  for (const one of [asking, response, lines]) one.on('error', () => undefined);
  const all: { id: string; news: News[] }[] = [];
  let id = '';
  for await (const line of lines) {
    if (line.startsWith('id: ')) id = line.slice(4);
    if (line.startsWith('data: [')) all.push({ id, news: JSON.parse(line.slice(6)) });
    if (enough(all.flatMap(({ news }) => news))) break;
  }
  asking.destroy();
  return all;
}

test('a stream that broke is resumed after the last id: nothing twice, nothing left out', async () => {
  const { job } = (await start({}, alice)).json;
  const first = await messages(job, alice, (news) =>
    news.some((one) => 'state' in one && one.state === 'running'),
  );
  site.release();
  await jobDone(server, job, alice);
  const rest = await messages(job, { ...alice, 'Last-Event-ID': first.at(-1)?.id ?? '' });
  const whole = await messages(job, alice);
  const news = (parts: { news: News[] }[]) => parts.flatMap((one) => one.news);
  const told = [...news(first), ...news(rest)];
  expect(new Set(told.map((one) => JSON.stringify(one))).size).toBe(told.length);
  // Where a host stands on its way is left out if the next is known already.
  const lasting = (all: News[]) => all.filter(({ type }) => type !== 'host');
  expect(lasting(told)).toEqual(lasting(news(whole)));
  expect(lasting(told).map(({ type }) => type)).toEqual(expect.arrayContaining(['job', 'end', 'done']));
  expect(told.at(-1)?.type).toBe('done');
  const other = (await start({}, alice)).json.job;
  await jobDone(server, other, alice);
  for (const [of, id] of [
    [job, 'x'],
    [job, '0'],
    // Of another job's: what came first in this one would be missed.
    [other, first.at(-1)?.id ?? ''],
  ] as const) {
    const headers = { ...alice, 'Last-Event-ID': id };
    expect((await server.ask(`jobs/${of}/events`, { headers })).status, id).toBe(400);
  }
});

test('a key starts one job, also when it is sent ten times at once; for another body or person it is another', async () => {
  site.release();
  const before = runs('web1.example.com');
  const keyed = { ...alice, 'Idempotency-Key': 'deploy-1' };
  const all = await Promise.all(Array.from({ length: 10 }, () => start({}, keyed)));
  expect(new Set(all.map(({ json, status }) => `${status} ${json.job}`)).size).toBe(1);
  const { job } = all[0]?.json ?? {};
  await jobDone(server, job, alice);
  expect((await start({}, keyed)).json.job).toBe(job);
  expect(runs('web1.example.com')).toBe(before + 1);
  const other = await start({ reason: 'another' }, keyed);
  expect(other).toMatchObject({ status: 409, json: { code: 'conflict' } });
  const bobs = (await start({}, { ...bob, 'Idempotency-Key': 'deploy-1' })).json.job;
  expect(bobs).not.toBe(job);
  await jobDone(server, bobs, bob);
});

test('two people stop one job: both are heard, and it says who', async () => {
  const before = runs('web1.example.com');
  const { job } = (await start({}, alice)).json;
  await begun('web1.example.com', before);
  const stops = await Promise.all(
    [alice, bob].map((headers) => server.ask(`jobs/${job}/cancel`, { body: { reason: 'enough' }, headers })),
  );
  for (const { status, json } of stops)
    expect([
      [200, 'ordered'],
      [409, undefined],
    ]).toContainEqual([status, json.how]);
  expect(stops.map(({ status }) => status)).toContain(200);
  const { counts, stopped } = await jobDone(server, job, alice);
  expect(counts).toEqual({ cancelled: 1 });
  expect(stopped).toBeDefined();
  const late = await server.ask(`jobs/${job}/stop`, { body: {}, headers: bob });
  expect(late).toMatchObject({ status: 409, json: { code: 'conflict' } });
});

test('limits: the choice is cut visibly, and what is not allowed is refused by name', async () => {
  const resolved = await server.ask('hosts/resolve', {
    body: { choice: { hosts: ['web[1-3]'] } },
    headers: limited,
  });
  expect(resolved.json).toMatchObject({
    chosen: 2,
    warnings: ['1 of the chosen hosts are not allowed to limited'],
  });
  expect(
    resolved.json.hosts.find(({ certname }: { certname: string }) => certname.startsWith('web3')),
  ).toMatchObject({
    ...{ isIn: false, because: [expect.any(String), 'limited may use @dmz'] },
  });
  const action = { noop: true, environment: 'test' };
  const details: [object, RegExp][] = [
    [{ action: { environment: 'test' } }, /^noop only: /],
    [{ action: { noop: true } }, /^environments: limited may use test$/],
    [{ action: { noop: true, environment: 'production' } }, /^environments: /],
    [{ action, choice: { hosts: ['web[1-2]'] } }, /^at most 1 host: limited chose 2$/],
    [{ action, choice: { hosts: ['web3'] } }, /^hosts: limited may use @dmz/],
  ];
  for (const [body, detail] of details) {
    const { status, json } = await start({ dryRun: true, ...body }, limited);
    expect([status, json.detail]).toEqual([403, expect.stringMatching(detail)]);
  }
  expect((await start({ action, dryRun: true }, limited)).json.plan.hosts).toEqual(['web1.example.com']);
  const order = { body: { choice: { hosts: ['web1'] }, reason: 'x' }, headers: limited };
  expect((await server.ask('fleet/disable', order)).json.detail).toMatch(/^orders: /);
  const before = runs('web1.example.com');
  const { job } = (await start({}, alice)).json;
  await begun('web1.example.com', before);
  const stop = await server.ask(`jobs/${job}/stop`, { body: {}, headers: limited });
  expect(stop.json).toMatchObject({ status: 403, detail: expect.stringMatching(/^own jobs: alice started/) });
  site.release();
  await jobDone(server, job, alice);
});

test('a server that is killed goes on with its jobs when it is back; no host runs twice', async () => {
  const counts = site.names.map(runs);
  const mortal = await startServer(site);
  const body = { choice: { hosts: ['web[1-3]'] }, concurrency: 2 };
  const { job } = (await mortal.ask('jobs', { body, headers: alice })).json;
  await begun('web1.example.com', counts[0] ?? 0);
  // Whoever asks to resume what runs is told so, and it is still gone on with afterwards.
  const again = await mortal.ask(`jobs/${job}/resume`, { body: {}, headers: alice });
  expect(again).toMatchObject({ status: 409, json: { code: 'conflict' } });
  const gone = once(mortal.child, 'exit');
  mortal.child.kill('SIGKILL');
  await gone;
  const next = await startServer(site);
  await expect
    .poll(async () => (await next.ask(`jobs/${job}`, { headers: alice })).json.state)
    .toBe('running');
  site.release();
  const { state, counts: outcomes } = await jobDone(next, job, alice);
  expect([state, outcomes]).toEqual(['done', { changed: 3 }]);
  expect(site.names.map(runs)).toEqual(counts.map((one) => one + 1));
  const markers = () => readdirSync(join(site.env['KICK_STATE_DIR'] ?? '', 'web', 'running'));
  await expect.poll(markers).toEqual([]);
});
