/**
 * `kick serve` under floods: an operator who has signed in looks at the jobs, by a new connection each time; who is put out before
 * the answer asks again, as the page does. Then one signs in.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { attempts, isClosed } from '../src/transport/https/client/attempts.ts';
import { SENDER_LIMITS } from '../src/transport/https/client/limits.ts';
import { DEFAULTS } from '../tools/fleet/plan.ts';
import { startFleet } from '../tools/fleet/start-fleet.ts';
import { ROOT } from '../tools/program.ts';
import { addAccount, startServe } from '../tools/serve-process.ts';
import { type Flood, hasNetwork, PATIENCE_MS, underFlood } from './flooding.ts';
import type { Row } from './measure.ts';

const ALICE = { name: 'alice', password: 'a password of the bench' };
const MALLORY = { name: 'mallory', password: 'another one of the bench' };

/** More than 30: the check of a password alone takes 64 MiB. */
const MOST = 100;

const post = (body: string, length = body.length) =>
  `POST /api/v1/session HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
const guessOf = (name: string) => post(`{"name":"${name}","password":"guess NUMBER"}`);

type Asks = 'jobs' | 'sign-in';

const FLOODS: readonly (Flood & { asks?: Asks })[] = [
  { what: '2,000 idle connections from 500 addresses', count: 2000, addresses: 500 },
  { what: "1,000 idle ones from the operator's own address", count: 1000, addresses: 1 },
  { what: '2,000 that begin a handshake, from 500', count: 2000, addresses: 500, says: 'hello' },
  { what: "400 a second that begin one, from the operator's own", perSecond: 400, addresses: 1 },
  { what: '400 a second that begin one, from 500', perSecond: 400, addresses: 500 },
  { what: '2,000 that are silent after TLS, from 500', count: 2000, addresses: 500, says: 'handshake' },
  {
    what: "1,000 that are silent after TLS, from the operator's own",
    ...{ count: 1000, addresses: 1, says: 'handshake' },
  },
  {
    what: '2,000 slow headers from 500',
    ...{ count: 2000, addresses: 500, says: 'drips', text: 'GET / HTTP/1.1\r\nHost: x\r\nX: ' },
  },
  {
    what: '2,000 slow bodies from 500',
    ...{ count: 2000, addresses: 500, says: 'drips', text: post('{', 5000) },
  },
  {
    what: "50 wrong passwords a second from the operator's own address",
    ...{ perSecond: 50, addresses: 1, text: guessOf('NUMBER') },
  },
  {
    what: '50 wrong passwords a second from 500',
    ...{ perSecond: 50, addresses: 500, text: guessOf('NUMBER') },
  },
  {
    what: '50 wrong passwords a second from 500, as one who signs in',
    ...{ perSecond: 50, addresses: 500, text: guessOf('NUMBER'), asks: 'sign-in' },
  },
  {
    what: '50 wrong passwords a second for their name from 500, as one who signs in',
    ...{ perSecond: 50, addresses: 500, text: guessOf(ALICE.name), asks: 'sign-in' },
  },
];

const IPV6: Flood = {
  what: '2,000 that begin a handshake, from a /64',
  ...{ count: 2000, addresses: 2000, says: 'hello', host: '::1' },
};

export async function* floodsWebRows(): AsyncGenerator<Row> {
  const fleet = await startFleet({ ...DEFAULTS, hosts: 1 });
  const kickArgs = fleet.kickArgs();
  addAccount(ALICE, { kickArgs, options: ['--role', 'operator'] });
  addAccount(MALLORY, { kickArgs, options: ['--role', 'viewer'] });
  try {
    for (const flood of FLOODS) yield await against(kickArgs, () => flood);
    yield await against(kickArgs, () => ({
      what: '2,000 that leave the largest file of the page unread, from 500',
      ...{ count: 2000, addresses: 500, says: 'unread' },
      text: `GET /assets/${largestAsset()} HTTP/1.1\r\nHost: x\r\n\r\n`,
    }));
    if (await hasNetwork()) yield await against(kickArgs, () => IPV6, '::');
    yield await against(kickArgs, (job, cookie) => ({
      what: "500 event streams of another user's",
      ...{ count: 500, addresses: 8 },
      text: `GET /api/v1/jobs/${job}/events HTTP/1.1\r\nHost: x\r\nCookie: ${cookie}\r\n\r\n`,
    }));
  } finally {
    await fleet.stop();
  }
}

function largestAsset(): string {
  const folder = join(ROOT, 'dist', 'web', 'app', 'assets');
  const names = readdirSync(folder).sort(
    (a, b) => statSync(join(folder, b)).size - statSync(join(folder, a)).size,
  );
  return names[0] ?? '';
}

/** In a server of its own. */
async function against(
  kickArgs: readonly string[],
  floodOf: (job: string, cookie: string) => Flood & { asks?: Asks },
  bind?: string,
): Promise<Row> {
  const web = await startServe(kickArgs, { ...(bind !== undefined && { bind }) });
  try {
    const alice = await web.signIn(ALICE);
    const mallory = await web.signIn(MALLORY);
    const { job } = await alice.ask('jobs', { choice: { all: true } });
    const { asks = 'jobs', ...flood } = floodOf(job, mallory.cookie);
    return await underFlood(flood, {
      what: 'kick serve',
      pid: web.process.pid,
      port: web.process.port,
      ask: () =>
        attempts(() => (asks === 'jobs' ? alice.ask('jobs?limit=20') : web.signIn(ALICE)), {
          ...{ waitsMs: SENDER_LIMITS.againMs, withinMs: PATIENCE_MS, isCutOff: isClosed },
          signal: AbortSignal.timeout(PATIENCE_MS),
        }),
      most: MOST,
    });
  } finally {
    await web.process.kill();
  }
}
