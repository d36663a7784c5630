/** Clocks that differ, requests that are old, and replays: what is refused, and what is answered with the run that exists. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { statusFindings } from '../../src/controller/fleet/findings.ts';
import { isTooFar } from '../../src/protocol/clocks.ts';
import type { Refusal } from '../../src/protocol/refusal.ts';
import { LIFETIME_S, MAX_SKEW_S } from '../../src/protocol/request.ts';
import type { Clock } from '../../src/util/clock.ts';
import { systemClock } from '../../src/util/clock.ts';
import { tempFolder } from '../support/temp.ts';
import { command, kick, peerOf, refusalOf, refused, requestOf, sealed, startAgent } from './harness.ts';

const HOUR_MS = 3_600_000;

const clockAt = (offset: number): Clock => ({ ...systemClock, now: () => Date.now() + offset });
const nowSeconds = () => Math.floor(Date.now() / 1000);

test('submit refuses by time, and tells its own', async () => {
  const iat = nowSeconds();
  expect(await refused(requestOf({ iat: iat - 1000, exp: iat - 700 }))).toBe('expired');
  expect(await refused(requestOf({ iat: iat + 120, exp: iat + 300 }))).toBe('clock-skew');
  expect(await refused(requestOf({ iat, exp: iat + 901 }))).toBe('expired');
  expect(await refused(requestOf({ iat, exp: iat }))).toBe('expired');
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  const error = await agent
    .submit(await sealed(requestOf({ iat: iat + 120, exp: iat + 300 })), peerOf())
    .catch((thrown: Refusal) => thrown);
  const { code, time = 0 } = (error as Refusal).body;
  expect([code, time >= iat && time <= nowSeconds()]).toEqual(['clock-skew', true]);
});

/** A controller whose clock is so many seconds off asks with a request that it has signed so many seconds before. */
async function askedWith({ off, age = 0 }: { off: number; age?: number }): Promise<string> {
  const folder = tempFolder();
  // A state directory that is older than the request.
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  writeFileSync(
    join(folder, 'state', 'store.json'),
    JSON.stringify({ createdAt: Date.now() - 2 * 365 * 24 * HOUR_MS }),
  );
  const agent = await startAgent(folder, { runner: command('ok') });
  const now = Date.now();
  const iat = Math.floor(now / 1000) + off - age;
  const peer = { ...peerOf(), time: now + off * 1000 };
  const submitted = agent.submit(await sealed(requestOf({ iat, exp: iat + LIFETIME_S })), peer);
  return submitted.then(
    () => 'accepted',
    (error: Refusal) => error.code,
  );
}

test.each([
  ['right', { off: 0 }, 'accepted'],
  ['50 s ahead', { off: 50 }, 'accepted'],
  ['50 s behind', { off: -50 }, 'accepted'],
  ['90 s ahead', { off: 90 }, 'clock-skew'],
  ['90 s behind', { off: -90 }, 'clock-skew'],
  ['six minutes ahead', { off: 360 }, 'clock-skew'],
  ['nearly six minutes behind', { off: -350 }, 'clock-skew'],
  ['ten minutes ahead', { off: 600 }, 'clock-skew'],
  ['ten minutes behind', { off: -600 }, 'clock-skew'],
  ['a year behind', { off: -365 * 86_400 }, 'clock-skew'],
  // The same signed bytes once more, as long as they live.
  ['right, and the request four minutes old', { off: 0, age: 240 }, 'accepted'],
  ['right, and the request ten minutes old', { off: 0, age: 600 }, 'expired'],
  ['right, and the request from its future', { off: 0, age: -90 }, 'clock-skew'],
])("a controller's clock that is %s", async (_what, asked, expected) => {
  expect(await askedWith(asked)).toBe(expected);
});

test('what admission refuses for its clock, kick doctor calls a problem', () => {
  const limit = MAX_SKEW_S * 1000;
  expect([limit, -limit, limit + 1, -limit - 1].map(isTooFar)).toEqual([false, false, true, true]);
  const status = { certname: 'a', version: '1', runner: 'command', uptime: 1, waiting: 0 };
  for (const ms of [limit, -limit, limit + 1, -limit - 1, 360_000, -360_000]) {
    const [found] = statusFindings({ ...status, time: 1e12 + ms }, { version: '1', now: 1e12 });
    expect(found?.level).toBe(isTooFar(ms) ? 'problem' : 'warning');
    expect(found?.what).toContain(ms > 0 ? 'ahead of ours' : 'behind ours');
  }
});

test('a replay after the clock was set back an hour is answered with the run that exists', async () => {
  const folder = tempFolder();
  const request = requestOf();
  const before = await startAgent(folder, { runner: command('ok') });
  const { run } = await (await kick(before, request)).finished;
  await before.stop();
  const after = await startAgent(folder, { runner: command('ok'), clock: clockAt(-HOUR_MS) });
  expect((await (await kick(after, request)).finished).run).toBe(run);
});

test.each([-1e300, 1e300, Date.parse('9999-01-01T00:00:00Z')])(
  'an agent whose state directory was made at %d accepts what is signed from now on, and nothing older',
  async (createdAt) => {
    const folder = tempFolder();
    mkdirSync(join(folder, 'state'), { mode: 0o700 });
    writeFileSync(join(folder, 'state', 'store.json'), JSON.stringify({ createdAt }));
    const agent = await startAgent(folder, { runner: command('ok') });
    const iat = nowSeconds() - 2 * MAX_SKEW_S;
    expect(await refusalOf(kick(agent, requestOf({ iat, exp: iat + LIFETIME_S })))).toBe('expired');
    expect((await (await kick(agent)).finished).outcome).toBe('unchanged');
  },
);

test('a replay is the run that exists, also after a restart; after the state was wiped it is refused', async () => {
  const folder = tempFolder();
  const iat = nowSeconds() - 120;
  const request = requestOf({ iat, exp: iat + 300 });
  const old = clockAt(-120_000);
  const first = await startAgent(folder, { runner: command('ok'), clock: old });
  const { run } = await (await kick(first, request)).finished;
  expect((await (await kick(first, request)).finished).run).toBe(run);
  await first.stop();
  const second = await startAgent(folder, { runner: command('ok') });
  expect((await (await kick(second, request)).finished).run).toBe(run);
  await second.stop();
  rmSync(join(folder, 'state'), { recursive: true });
  const third = await startAgent(folder, { runner: command('ok') });
  expect(await refusalOf(kick(third, request))).toBe('expired');
});
