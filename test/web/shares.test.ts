/** Nobody has all of what there is for everybody: attempts, tokens, streams, bodies under way. */
import { once } from 'node:events';
import { createServer as createHttpServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import express from 'express';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/util/clock.ts';
import { openKnownPlaces } from '../../src/web/server/access/known-places.ts';
import { openTokens } from '../../src/web/server/access/tokens.ts';
import { mountOidc } from '../../src/web/server/http/oidc-routes.ts';
import { problemOf, sendProblem } from '../../src/web/server/http/problems.ts';
import { signInWork } from '../../src/web/server/http/sign-in.ts';
import { createSignInLimits } from '../../src/web/server/http/sign-in-limits.ts';
import { openStreamPlaces } from '../../src/web/server/http/stream-places.ts';
import { createTries } from '../../src/web/server/http/tries.ts';
import { openBodies } from '../../src/web/server/http/unknown-bodies.ts';
import { tempFolder } from '../support/temp.ts';

const log = pino({ level: 'silent' });
const DAY = 86_400_000;

function setClock() {
  const time = { now: 1_800_000_000_000 };
  return { time, clock: { now: () => time.now, monotonic: () => time.now } };
}

/** How many of so many attempts are counted, and not refused. */
async function counted(limits: ReturnType<typeof createSignInLimits>, name: string, addresses: string[]) {
  const all = await Promise.allSettled(addresses.map((address) => limits.count({ name, address })));
  return all.filter(({ status }) => status === 'fulfilled').length;
}

test('what strangers try locks a name for strangers, and not where its person has signed in before', async () => {
  const [{ clock, time }, folder] = [setClock(), tempFolder()];
  const open = () => createSignInLimits(openKnownPlaces(folder, { clock, log }), clock);
  await open().forget({ name: 'alice', address: '192.0.2.1' });
  const limits = open(); // after a restart
  const strangers = Array.from({ length: 40 }, (_, index) => `198.51.100.${index}`);
  const attempts = strangers.flatMap((address) => [address, address, address]);
  expect(await counted(limits, 'alice', attempts)).toBe(50);
  expect(await counted(limits, 'alice', ['203.0.113.1'])).toBe(0);
  expect(await counted(limits, 'alice', ['192.0.2.1', '::ffff:192.0.2.1'])).toBe(2);
  expect(await counted(limits, 'bob', ['203.0.113.1'])).toBe(1);
  // There as well nobody tries for ever.
  expect(await counted(limits, 'alice', Array(20).fill('192.0.2.1'))).toBe(8);
  time.now += 91 * DAY;
  expect(await openKnownPlaces(folder, { clock, log }).isKnown('alice', '192.0.2.1')).toBe(false);
});

test('one host begins no more than a hundred sign-ins at the provider, of the thousand that are under way', async () => {
  const app = express();
  const oidc = { begin: async () => ({ location: 'https://id.example.com/', state: 'x' }) };
  // biome-ignore lint/suspicious/noExplicitAny: of both only this is used
  mountOidc(app, { log, clock: systemClock } as any, oidc as any);
  const server = createHttpServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const begin = async (localAddress: string) => {
    const asking = request({ host: '127.0.0.1', port, path: '/auth/oidc', localAddress, agent: false });
    asking.end();
    const [response] = await once(asking, 'response');
    response.resume();
    return response.statusCode;
  };
  const all = await Promise.all(Array.from({ length: 120 }, () => begin('127.0.0.1')));
  expect(all.filter((status) => status === 302)).toHaveLength(100);
  expect([await begin('127.0.0.1'), await begin('127.0.0.2')]).toEqual([429, 302]);
});

test('all addresses of an IPv6 host are one', async () => {
  const { clock } = setClock();
  const limits = createSignInLimits(openKnownPlaces(tempFolder(), { clock, log }), clock);
  const own = Array.from({ length: 20 }, (_, index) => `2001:db8:0:1::${index + 1}`);
  expect(await counted(limits, 'alice', own)).toBe(10);
  expect(await counted(limits, 'alice', ['2001:db8:0:2::1'])).toBe(1);
});

function openTries(most: number) {
  const { clock, time } = setClock();
  const tries = createTries({ most, withinMs: 1000, clock });
  const isCounted = (key: string) => {
    try {
      tries.count(key);
      return true;
    } catch (error) {
      expect(error).toMatchObject({ code: 'too-many-requests' });
      return false;
    }
  };
  return { time, tries, isCounted };
}

test('tries: in a window from the first', () => {
  const { time, isCounted } = openTries(2);
  expect(['a', 'a', 'a'].map(isCounted)).toEqual([true, true, false]);
  time.now += 1000;
  expect(['a', 'a', 'a'].map(isCounted)).toEqual([true, true, false]);
});

test('tries: of made-up names only so many are kept, and they push out none that is locked', () => {
  const { tries, isCounted } = openTries(3);
  expect(['a', 'a', 'a', 'a', 'b'].map(isCounted)).toEqual([true, true, true, false, true]);
  for (let count = 0; count < 50_000; count++) tries.count(`stranger ${count}`);
  expect(isCounted('a')).toBe(false);
  // The oldest that was tried little is forgotten.
  expect(['b', 'b', 'b'].map(isCounted)).toEqual([true, true, true]);
});

test('tries: what is taken back leaves nothing that pushes others out', () => {
  const { tries, isCounted } = openTries(3);
  tries.count('a');
  for (let count = 0; count < 50_000; count++) tries.count(`stranger ${count}`)();
  expect(['a', 'a', 'a'].map(isCounted)).toEqual([true, true, false]);
});

test('an attempt to sign in that is not checked is no guess of its name', async () => {
  const clock = setClock().clock;
  const doors = { places: openKnownPlaces(tempFolder(), { clock, log }) };
  // biome-ignore lint/suspicious/noExplicitAny: only this is used
  const work = signInWork({ doors, clock } as any);
  const said = new Set<string>();
  for (let count = 0; count < 20; count++) {
    const request = Object.assign(
      Readable.from([Buffer.from('{"name":"alice","password":"any password"}')]),
      {
        headers: { 'content-type': 'application/json' },
        originalUrl: '/api/v1/session',
        socket: { remoteAddress: '192.0.2.1', destroyed: true },
      },
    );
    // biome-ignore lint/suspicious/noExplicitAny: of all three only this is used
    const [asked, answer] = [request as any, {} as any];
    await work(asked, answer, undefined).catch(({ message }: Error) => void said.add(message));
  }
  expect([...said]).toEqual(['the connection has ended']);
});

test('tries: of names that are locked as well only so many are kept', () => {
  const { tries, isCounted } = openTries(1);
  for (let count = 0; count < 50_000; count++) tries.count(`name ${count}`);
  expect(isCounted('name 0')).toBe(false);
  tries.count('one more');
  expect(['name 1', 'name 0'].map(isCounted)).toEqual([false, true]);
});

test('fifty tokens each: whoever has them keeps nobody else from one, and those that are over do not count', async () => {
  const { clock, time } = setClock();
  const tokens = openTokens(tempFolder(), clock);
  const make = (user: string) =>
    tokens.create({ name: 'ci', user, role: 'viewer', limits: {}, endsAt: time.now + DAY });
  for (let count = 0; count < 50; count++) await make('greedy');
  await expect(make('greedy')).rejects.toMatchObject({ code: 'state', hint: 'revoke some' });
  await make('alice');
  time.now += DAY;
  await make('greedy');
  expect((await tokens.list()).map(({ user }) => user)).toEqual(['greedy']);
});

test('streams: a share for each person and each address, given back at the end', () => {
  const places = openStreamPlaces({ ofAddress: 3, ofPerson: 2 });
  const take = (person: string, address: string) => places.take({ person, address });
  const end = take('alice', '192.0.2.1');
  take('alice', '192.0.2.2');
  expect(() => take('alice', '192.0.2.3')).toThrow('too many streams');
  take('bob', '2001:db8::1');
  take('carol', '2001:db8::2');
  take('carol', '2001:db8::3');
  expect(() => take('dave', '2001:db8::4')).toThrow('too many streams');
  end();
  take('alice', '192.0.2.3');
});

/** Eight bodies that drip, from one host, at a server that lets each of them for so long. */
async function drippedOn({ withinMs }: { withinMs: number }) {
  const app = express();
  const bodyOf = openBodies(withinMs);
  const lines: string[] = [];
  const noisy = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  let ended = 0;
  app.post('/', (asked, response) =>
    bodyOf(asked)
      .then((body) => void response.json(body.length))
      .catch((error: unknown) => sendProblem(response, problemOf(error, noisy)))
      .finally(() => (ended += 1)),
  );
  const server = createHttpServer(app).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const send = (localAddress: string) => {
    const asking = request({ host: '127.0.0.1', port, localAddress, method: 'POST', agent: false });
    asking.on('error', () => undefined);
    return asking;
  };
  const slow = Array.from({ length: 8 }, () => send('127.0.0.1'));
  const drips = setInterval(() => slow.forEach((one) => void one.write('x')), 20);
  onTestFinished(() => clearInterval(drips));
  const statusOf = async (address: string) => {
    const asking = send(address);
    asking.end('whole');
    const [response] = await once(asking, 'response');
    response.resume();
    return response.statusCode;
  };
  return { statusOf, lines, ended: () => ended };
}

test('bodies of strangers: eight at once of a host', async () => {
  const { statusOf, lines } = await drippedOn({ withinMs: 600_000 });
  await expect.poll(() => statusOf('127.0.0.1')).toBe(503);
  expect(await statusOf('127.0.0.2')).toBe(200);
  expect(lines).toEqual([]);
});

test('bodies of strangers: those that drip for longer than they may are cut off, and make room', async () => {
  const { statusOf, lines, ended } = await drippedOn({ withinMs: 300 });
  await expect.poll(ended).toBeGreaterThanOrEqual(8);
  expect(await statusOf('127.0.0.1')).toBe(200);
  expect(lines).toEqual([]);
});
