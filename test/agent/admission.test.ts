/** facts of abuse: who sends what, and the stable code that is the answer. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Policy } from '../../src/agent/admission/policy.ts';
import { statusFindings } from '../../src/controller/fleet/findings.ts';
import { isTooFar } from '../../src/protocol/clocks.ts';
import type { Refusal } from '../../src/protocol/refusal.ts';
import { RefusalSchema } from '../../src/protocol/refusal.ts';
import { LIFETIME_S, MAX_SKEW_S, type Request } from '../../src/protocol/request.ts';
import type { Clock } from '../../src/util/clock.ts';
import { systemClock } from '../../src/util/clock.ts';
import { mintCa } from '../support/minted-ca.ts';
import { tempFolder } from '../support/temp.ts';
import {
  AGENT,
  CONTROLLER,
  ca,
  command,
  controller,
  kick,
  peerOf,
  refusalOf,
  requestOf,
  sealed,
  startAgent,
} from './harness.ts';

const HOUR_MS = 3_600_000;

const clockAt = (offset: number): Clock => ({ ...systemClock, now: () => Date.now() + offset });
const nowSeconds = () => Math.floor(Date.now() / 1000);

async function refused(request: Request, options: { policy?: Policy } = {}): Promise<string> {
  const agent = await startAgent(tempFolder(), { runner: command('ok'), ...options });
  return refusalOf(agent.submit(await sealed(request), peerOf()));
}

/** Changes one character of a part of the envelope. */
async function tampered(part: 'protected' | 'payload' | 'signature', at: number): Promise<Uint8Array> {
  const envelope = JSON.parse(Buffer.from(await sealed(requestOf())).toString()) as Record<string, string>;
  const text = envelope[part] ?? '';
  const changed = text[at] === 'A' ? 'B' : 'A';
  const flipped = { ...envelope, [part]: text.slice(0, at) + changed + text.slice(at + 1) };
  return Buffer.from(JSON.stringify(flipped));
}

async function withHeader(change: (header: Record<string, unknown>) => object): Promise<Uint8Array> {
  const envelope = JSON.parse(Buffer.from(await sealed(requestOf())).toString()) as Record<string, string>;
  const header = JSON.parse(Buffer.from(envelope['protected'] ?? '', 'base64url').toString());
  const encoded = Buffer.from(JSON.stringify(change(header))).toString('base64url');
  return Buffer.from(JSON.stringify({ ...envelope, protected: encoded }));
}

test('submit refuses what is not the one spelling of an envelope', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  const whole = Buffer.from(await sealed(requestOf())).toString();
  const bodies: [string, string][] = [
    ['', 'malformed'],
    ['null', 'malformed'],
    ['[]', 'malformed'],
    ['{"a":'.repeat(5000), 'malformed'],
    ['['.repeat(15_000) + ']'.repeat(15_000), 'malformed'],
    [whole.replace('{', '{"__proto__":{"x":1},'), 'malformed'],
    [whole.replace('{', '{"payload":"e30",'), 'malformed'],
    [whole.replace('{', '{"more":"e30",'), 'malformed'],
    [` ${whole}`, 'malformed'],
    ['x'.repeat(33 * 1024), 'too-large'],
  ];
  for (const [body, code] of bodies) {
    expect(await refusalOf(agent.submit(Buffer.from(body), peerOf())), body.slice(0, 40)).toBe(code);
  }
  expect(await refusalOf(agent.submit(Buffer.from([0xff, 0xfe, 0x7b]), peerOf()))).toBe('malformed');
  expect(({} as Record<string, unknown>)['x']).toBeUndefined();
});

test('submit refuses a payload or signature with one changed character', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  for (const at of [0, 7, 40]) {
    expect(await refusalOf(agent.submit(await tampered('payload', at), peerOf()))).toBe('signature');
    expect(await refusalOf(agent.submit(await tampered('signature', at), peerOf()))).toBe('signature');
  }
});

test.each([
  ['alg none', (header: object) => ({ ...header, alg: 'none' })],
  ['HS256 with the public key', (header: object) => ({ ...header, alg: 'HS256' })],
  ['an unknown crit', (header: object) => ({ ...header, crit: ['exp'] })],
  ['b64 false', (header: object) => ({ ...header, b64: false, crit: ['b64'] })],
  ['another type', (header: object) => ({ ...header, typ: 'JWT' })],
])('submit refuses a header with %s', async (_what, change) => {
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  expect(await refusalOf(agent.submit(await withHeader(change), peerOf()))).toBe('malformed');
});

test('submit refuses an algorithm that is not the key own one', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  const body = await withHeader((header) => ({ ...header, alg: 'PS256' }));
  expect(await refusalOf(agent.submit(body, peerOf()))).toBe('signature');
});

test.each<[string, Partial<Request>, string]>([
  ['another host', { aud: 'other.example.com' }, 'audience'],
  ['another issuer than the signer', { iss: 'other.example.com' }, 'issuer'],
  ['no audience', { aud: undefined as never }, 'malformed'],
  ['a list of hosts', { aud: [AGENT, 'b'] as never }, 'malformed'],
  ['a job id that is a path', { job: '../../etc/x' }, 'malformed'],
  ['a job id with NUL', { job: 'a\0b' }, 'malformed'],
  ['a job id of 10 kB', { job: 'a'.repeat(10_240) }, 'malformed'],
  ['an unknown key', { more: 1 } as never, 'malformed'],
  ['an unknown option', { action: { op: 'run', fly: true } as never }, 'unsupported'],
  ['an unknown op', { action: { op: 'fly' } as never }, 'unsupported'],
])('submit refuses a request with %s', async (_what, changes, code) => {
  expect(await refused({ ...requestOf(), ...changes } as Request)).toBe(code);
});

test.each(['--postrun_command=x', 'a\tb', 'a\nb', 'a,b', 'ä', '', '-x'])(
  'submit refuses the tag %j',
  async (tag) => {
    expect(await refused(requestOf({ action: { op: 'run', tags: [tag] } }))).toBe('malformed');
  },
);

test.each(['-x', '../p', 'a b', 'a/b', ''])('submit refuses the environment %j', async (environment) => {
  expect(await refused(requestOf({ action: { op: 'run', environment } }))).toBe('malformed');
});

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
  const now = Date.now();
  // A state directory that is older than the request.
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  writeFileSync(
    join(folder, 'state', 'store.json'),
    JSON.stringify({ createdAt: now - 2 * 365 * 24 * HOUR_MS }),
  );
  const agent = await startAgent(folder, { runner: command('ok') });
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

test('submit refuses a signer that is no controller, and an agent of the same CA', async () => {
  const plain = await ca.identity('deploy.example.com', { ppCliAuth: false });
  const other = await ca.identity('agent2.example.com', { role: 'agent', ppCliAuth: false });
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  for (const identity of [plain, other]) {
    const body = await sealed(requestOf({ iss: identity.certname }), identity);
    expect(await refusalOf(agent.submit(body, peerOf(identity)))).toBe('controller-not-allowed');
    expect(await refusalOf(agent.status(peerOf(identity)))).toBe('controller-not-allowed');
  }
});

test('submit refuses when the signer is not the peer: same name, older certificate, other CA', async () => {
  const older = await ca.identity(CONTROLLER);
  const elsewhere = await mintCa({ name: 'Test CA' }).identity(CONTROLLER);
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  for (const identity of [older, elsewhere]) {
    const body = await sealed(requestOf(), identity);
    expect(await refusalOf(agent.submit(body, peerOf(controller)))).toBe('peer-mismatch');
  }
});

test('submit refuses a certificate with two common names', async () => {
  const { certificate, key } = ca.issue(CONTROLLER, { commonNames: [CONTROLLER, 'x.example.com'] });
  const { createPrivateKey, X509Certificate } = await import('node:crypto');
  const odd = { ...controller, key: createPrivateKey(key), chain: [new X509Certificate(certificate)] };
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  expect(await refusalOf(agent.submit(await sealed(requestOf(), odd), peerOf(odd)))).toBe('issuer');
});

test('the local policy decides by name first: ops, environments, noop only', async () => {
  const policy = (rule: object): { policy: Policy } => ({
    policy: { trustPpCliAuth: true, controllers: [{ name: CONTROLLER, ...rule }] },
  });
  const run = requestOf();
  expect(await refused(run, policy({ ops: ['cancel'] }))).toBe('policy');
  expect(await refused(run, policy({ noopOnly: true }))).toBe('policy');
  expect(await refused(run, policy({ environments: ['staging'] }))).toBe('policy');
  const elsewhere = requestOf({ action: { op: 'run', environment: 'production' } });
  expect(await refused(elsewhere, policy({ environments: ['staging'] }))).toBe('policy');
  const nobody = { policy: { trustPpCliAuth: false, controllers: [] } };
  expect(await refused(run, nobody)).toBe('controller-not-allowed');
  const named = { trustPpCliAuth: false, controllers: [{ name: CONTROLLER }] };
  const agent = await startAgent(tempFolder(), { runner: command('ok'), policy: named });
  expect((await (await kick(agent)).finished).outcome).toBe('unchanged');
});

test('what a runner cannot honour is refused with the version of the agent', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  const body = await sealed(requestOf({ action: { op: 'run', noop: true } }));
  const error = await agent.submit(body, peerOf()).catch((thrown: Refusal) => thrown);
  expect((error as Refusal).body).toEqual({ code: 'unsupported', version: '0.0.0-test' });
});

test('only a code travels: no refusal has another key than the schema names', () => {
  expect(Object.keys(RefusalSchema.entries).sort()).toEqual(['code', 'time', 'version']);
});
