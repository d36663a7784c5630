/** What kick serve is sent. */
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Request } from 'express';
import type { HookConfig } from '../../../src/config/controller-config.ts';
import { systemClock as clock } from '../../../src/util/clock.ts';
import { silentLog as log } from '../../../src/util/log.ts';
import { ApiProblem } from '../../../src/web/api/problem.ts';
import type { Route } from '../../../src/web/api/route.ts';
import { ROUTES } from '../../../src/web/api/routes.ts';
import { openAccounts } from '../../../src/web/server/access/accounts.ts';
import { authenticate, COOKIE } from '../../../src/web/server/access/authenticate.ts';
import { openSessions } from '../../../src/web/server/access/sessions.ts';
import { openTokens } from '../../../src/web/server/access/tokens.ts';
import { afterCursor } from '../../../src/web/server/handlers/cursor.ts';
import { environmentOf, isGenuine } from '../../../src/web/server/http/hooks.ts';
import { inputOf, MAX_BODY } from '../../../src/web/server/http/input.ts';
import { cronProblem, nextTimes } from '../../../src/web/server/schedules/times.ts';
import { type Decoder, isOf, json, type Opened, type Sample, textSample, within } from './decoder.ts';
import { ACTION, AGENT, AT, UUID } from './samples.ts';

const { op: _op, ...OPTIONS } = ACTION;
const CHOICE = {
  ...{
    hosts: ['web[1-3]', '@dmz'],
    all: true,
    exclude: ['db'],
    queries: ['nodes {}'],
    facts: ['os=x'],
    classes: ['a'],
  },
  ...{ last: ['failed'], olderThan: 60, limit: '10%', seed: 'x', includeMaintenance: true },
};
const ROLLOUT = {
  canary: 1,
  batches: ['10%', '5'],
  pause: 1,
  confirm: true,
  maxFailures: '1',
  retry: 1,
  deadline: 5,
};
const WISH = {
  choice: CHOICE,
  action: OPTIONS,
  rollout: ROLLOUT,
  reason: 'why',
  lock: 'nightly',
  success: 90,
  dryRun: true,
};
export const SCHEDULE = {
  ...{ name: 'nightly', cron: '0 3 * * 1-5', zone: 'Europe/Berlin', choice: CHOICE, action: {}, rollout: {} },
  ...({ ifStillRunning: 'wait', lock: 'nightly', missed: 'once', paused: false } as const),
};

const REASON = { reason: 'why' };

/** By the name of the route: a body, or a query, with as much as it may have. */
const BODIES: Readonly<Record<string, unknown>> = {
  ...{ startJob: WISH, resolveHosts: { choice: CHOICE, facets: ['os.family'] }, putSchedule: SCHEDULE },
  ...{
    signIn: { name: 'admin', password: 'secret' },
    createToken: { name: 'ci', role: 'viewer', limits: {}, days: 5 },
  },
  ...{ stopJob: REASON, cancelJob: REASON, resumeJob: REASON, confirmJob: { goOn: true } },
  ...{ rerunJob: { outcomes: ['failed'], ...REASON, dryRun: true }, fleetStatus: { choice: CHOICE } },
  ...{
    fleetSummary: { choice: CHOICE },
    fleetDoctor: { choice: CHOICE },
    cancelHosts: { choice: CHOICE, ...REASON },
  },
  ...{
    disableHosts: { choice: CHOICE, ...REASON, for: 60 },
    enableHosts: { choice: CHOICE, force: true, ...REASON },
  },
  ...{ pauseSchedule: { paused: true }, runSchedule: {} },
};
const QUERIES: Readonly<Record<string, string>> = {
  listJobs: 'cursor=x&limit=5&by=deploy&name=nightly&outcome=failed',
  listJobHosts: 'limit=5&outcome=open&name=web&sort=outcome',
  listAudit: 'cursor=5&limit=5',
};
const PARAMS: Readonly<Record<string, string>> = { job: UUID, certname: AGENT, name: 'nightly', id: UUID };

/** The first line is the name of a route, what may stand in its path, and its query; its body stands behind it. */
const rest: Decoder = {
  name: 'rest',
  about: 'paths, queries and bodies of the REST API: kick serve, of anybody with an account',
  open() {
    const behind = (line: string) => (inner: Uint8Array) => Buffer.concat([Buffer.from(`${line}\n`), inner]);
    const inLine = (begin: string) => (inner: Uint8Array) => Buffer.from(`${begin}${Buffer.from(inner)}\n`);
    const samples = Object.entries<Route>(ROUTES).flatMap(([name, { body, query, params }]): Sample[] => [
      ...(body === undefined ? [] : [within(BODIES[name], behind(name))]),
      ...(query === undefined ? [] : [{ ...textSample(QUERIES[name] ?? ''), wrap: inLine(`${name}?`) }]),
      ...(params === undefined || body !== undefined
        ? []
        : [{ ...textSample(''), wrap: inLine(`${name}/`) }]),
    ]);
    return {
      samples,
      decode(input) {
        const end = Math.max(0, input.indexOf(10));
        const line = input.toString('utf8', 0, end);
        const [name = '', param = ''] = (line.split('?')[0] ?? '').split('/', 2);
        const route: Route = Object.hasOwn(ROUTES, name)
          ? ROUTES[name as keyof typeof ROUTES]
          : ROUTES.startJob;
        return inputOf(route, requestOf(route, { line, param, body: input.subarray(end + 1) }));
      },
      isDeclared: isOf(ApiProblem),
      words: ['&', '=', '%00', '%zz', '+', 'limit', 'cursor', '__proto__', 'a[b]=', 'web', '/', '?'],
      maxBytes: MAX_BODY,
    };
  },
};

/** As Express hands it on. `param`: instead of what fits. */
function requestOf(
  { path }: Route,
  { line, param, body }: { line: string; param: string; body: Uint8Array },
): Request {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  const params = Object.fromEntries(names.map((name) => [name, param === '' ? PARAMS[name] : param]));
  const headers = { 'content-type': 'application/json' };
  return Object.assign(Readable.from([body]), {
    params,
    headers,
    originalUrl: `/${line}`,
  }) as unknown as Request;
}

const cookie: Decoder = {
  name: 'cookie',
  about: 'who asks, by cookie or token: kick serve, of anybody',
  async open(folder) {
    const accounts = openAccounts(folder, clock);
    const [tokens, sessions] = [openTokens(folder, clock), await openSessions(folder, { clock, log })];
    const secret = await sessions.begin('admin');
    const [, token] = await tokens.create({
      name: 'ci',
      user: 'admin',
      role: 'viewer',
      limits: {},
      endsAt: clock.now() * 2,
    });
    const doors = { accounts, sessions, tokens, certificates: { find: () => undefined }, groups: [] };
    return {
      samples: [
        textSample(`a=b; ${COOKIE}=${secret}; c="d"`),
        textSample(`Bearer ${token}`),
        textSample('Bearer kick_x'),
      ],
      async decode(input) {
        const text = input.toString('latin1');
        const headers = text.startsWith('Bearer') ? { authorization: text } : { cookie: text };
        const socket = { remoteAddress: '127.0.0.1' };
        return authenticate({ headers, socket } as unknown as IncomingMessage, doors);
      },
      words: [COOKIE, '=', ';', 'Bearer ', 'kick_'],
    } satisfies Opened;
  },
};

const cursor: Decoder = {
  name: 'cursor',
  about: 'where a page of a list begins: kick serve, of anybody with an account',
  open: () => ({
    samples: [within(['web1', UUID], base64url), textSample(Buffer.from('["a"]').toString('base64url'))],
    decode: (input) =>
      afterCursor(['a', 'b', 'c'], { cursor: input.toString('utf8'), size: 2, keyOf: (item) => [item] }),
    isDeclared: isOf(ApiProblem),
  }),
};

const base64url = (inner: Uint8Array) => Buffer.from(Buffer.from(inner).toString('base64url'));

const HOOK: HookConfig = {
  ...{ name: 'r10k', kind: 'github', secret_file: '/x', hosts: 'web*', noop: false },
  branches: { main: 'production', '*': '*' },
};

const hook: Decoder = {
  name: 'hook',
  about: 'what a webhook is sent: kick serve, of anybody',
  open: () => ({
    samples: [
      json({ ref: 'refs/heads/main', deleted: false, after: 'a'.repeat(40), repository: { id: 1 } }),
      json({ branch: 'feature/x-1' }),
    ],
    decode(input) {
      const signature = input.toString('latin1').slice(0, 200);
      const headers = {
        'x-hub-signature-256': signature,
        'x-gitlab-token': signature,
        'x-kick-signature': signature,
      };
      const sent = { headers, body: input, secret: 'secret', now: AT };
      const isOurs = (['github', 'gitlab', 'kick'] as const).map((kind) => isGenuine(kind, sent));
      return [isOurs, environmentOf(HOOK, input)];
    },
    isDeclared: isOf(ApiProblem),
    maxBytes: MAX_BODY,
  }),
};

const CRONS = ['0 3 * * 1-5', '*/5 0-6,20 1,15 JAN-MAR MON#2', '59 23 L * *', '0 0 29 2 5L'];

const cron: Decoder = {
  name: 'cron',
  about: 'the times of a schedule, and the next of them: kick serve, of an operator',
  open: () => ({
    samples: [
      ...CRONS.map((one) => ({ ...textSample(one), wrap: inZone })),
      textSample('Europe/Berlin\n0 0 * * *'),
    ],
    decode(input) {
      const [zone = '', cron = ''] = input.toString('utf8').split('\n', 2);
      // As the schema does (api/schedule.ts).
      const wish = { zone: zone.slice(0, 64), cron: cron.slice(0, 200) };
      return cronProblem(wish.cron, wish.zone) ?? nextTimes(wish, AT, 5);
    },
    words: [
      '*',
      '/',
      '-',
      ',',
      'L',
      'W',
      '#',
      '?',
      ' ',
      'MON',
      'FEB',
      '29',
      '30',
      '31',
      '+',
      '@hourly',
      'Etc/UTC',
    ],
    maxBytes: 400,
  }),
};

const inZone = (inner: Uint8Array) => Buffer.from(`America/New_York\n${Buffer.from(inner)}`);

export const WEB: readonly Decoder[] = [rest, cookie, cursor, hook, cron];
