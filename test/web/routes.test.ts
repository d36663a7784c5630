/** Every route: what it answers to whom, held against the server's own OpenAPI document. */
import { Validator } from '@seriousme/openapi-schema-validator';
import { beforeAll, describe, expect, test } from 'vitest';
import { ROLES, type Role, type Route } from '../../src/web/api/route.ts';
import { type ApiRoutes, ROUTES } from '../../src/web/api/routes.ts';
import { realSite, type Site } from '../support/real-site.ts';
import { type Judge, readJudge } from './document.ts';
import { writePeople } from './people.ts';
import { type AskOptions, jobDone, signIn, startServer, type WebServer } from './web-site.ts';

const choice = { hosts: ['web[1-2]'] };

/** A valid request of each route: what stands for its parameters, its query, its body. */
const EXAMPLES: Record<keyof ApiRoutes, { params?: Record<string, string>; query?: string; body?: unknown }> =
  {
    resolveHosts: {
      body: {
        choice: { hosts: ['web[1-2]', 'nobody.example.com'], exclude: ['web2'] },
        facets: ['os.family'],
      },
    },
    getHost: { params: { certname: 'web1.example.com' } },
    listGroups: {},
    startJob: { body: { choice, reason: 'a test', rollout: { batches: ['50%'], maxFailures: '1' } } },
    listJobs: { query: 'limit=1&outcome=failed' },
    getJob: {},
    listJobHosts: { query: 'sort=duration&name=web' },
    getJobHost: { params: { certname: 'web1.example.com' } },
    listChanges: {},
    streamJob: {},
    stopJob: { body: { reason: 'over' } },
    cancelJob: { body: {} },
    resumeJob: { body: {} },
    rerunJob: { body: { dryRun: true } },
    confirmJob: { body: { goOn: true } },
    fleetStatus: { body: { choice } },
    fleetSummary: { body: { choice } },
    fleetDoctor: { body: { choice } },
    disableHosts: { body: { choice, reason: 'a test', for: 60 } },
    enableHosts: { body: { choice, force: true } },
    cancelHosts: { body: { choice } },
    listSchedules: {},
    putSchedule: { body: { name: 'nightly', cron: '0 3 * * *', zone: 'Europe/Berlin', choice } },
    pauseSchedule: { params: { name: 'none' }, body: { paused: true } },
    runSchedule: { params: { name: 'none' }, body: {} },
    deleteSchedule: { params: { name: 'none' } },
    signIn: { body: { name: 'admin', password: 'wrong, but long enough' } },
    signInWays: {},
    whoAmI: {},
    signOut: {},
    listTokens: {},
    createToken: { body: { name: 'ci', limits: { maxHosts: 5 } } },
    revokeToken: { params: { id: 'none' } },
    listUsers: {},
    listAudit: { query: 'limit=5' },
  };

/** What a right answer is where the example cannot succeed. */
const REFUSED: Partial<Record<keyof ApiRoutes, number>> = {
  stopJob: 409,
  cancelJob: 409,
  resumeJob: 409,
  confirmJob: 409,
  pauseSchedule: 404,
  runSchedule: 404,
  deleteSchedule: 404,
  signIn: 401,
  revokeToken: 404,
};

const names = Object.keys(ROUTES) as (keyof ApiRoutes)[];

let site: Site;
let server: WebServer;
let judge: Judge;
let job = '';
const signedIn = new Map<Role, Record<string, string>>();

function requestOf(name: keyof ApiRoutes): [string, AskOptions] {
  const { path, method }: Route = ROUTES[name];
  const { params = {}, query, body } = EXAMPLES[name];
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, key) => params[key] ?? job);
  const question = query === undefined ? '' : `?${query}`;
  return [`${filled.slice(1)}${question}`, { method: method.toUpperCase(), body }];
}

beforeAll(async () => {
  site = await realSite(2, (_name, index) => `echo line; exit ${index === 1 ? 1 : 2}`);
  site.controllerYaml({ puppetdb: false });
  writePeople(site, { viewer: { role: 'viewer' }, operator: { role: 'operator' }, admin: { role: 'admin' } });
  server = await startServer(site);
  judge = await readJudge(server);
  for (const role of ROLES) signedIn.set(role, await signIn(server, role));
  const headers = signedIn.get('operator') ?? {};
  job = (await server.ask('jobs', { body: { choice }, headers })).json.job;
  await jobDone(server, job, headers);
});

test('the document is valid OpenAPI 3.1', async () => {
  expect(await new Validator().validate(judge.document)).toMatchObject({ valid: true });
});

describe.each(names)('%s', (name) => {
  const { role: least, status = 200 }: Route = ROUTES[name];

  test('without a session', async () => {
    const [path, options] = requestOf(name);
    const reply = await server.ask(path, options);
    expect(judge.verdict(name, reply)).toBeUndefined();
    expect(reply.status).toBe(name === 'signInWays' ? 200 : 401);
  });

  test.each(ROLES)('as %s', async (role) => {
    const [path, options] = requestOf(name);
    // A session that the others do not need.
    const headers = name === 'signOut' ? await signIn(server, role) : signedIn.get(role);
    const reply = await server.ask(path, { ...options, headers: headers ?? {} });
    expect(judge.verdict(name, reply)).toBeUndefined();
    if (least !== 'anyone' && ROLES.indexOf(role) < ROLES.indexOf(least)) {
      expect(reply.json).toMatchObject({ status: 403, code: 'not-allowed' });
      expect(reply.json.detail).toMatch(/^role: it needs/);
    } else expect([reply.status, reply.text]).toEqual([REFUSED[name] ?? status, reply.text]);
    const { job: begun } = reply.json ?? {};
    if (name === 'startJob' && begun !== undefined) await jobDone(server, begun, headers ?? {});
  });
});
