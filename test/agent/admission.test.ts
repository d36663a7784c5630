/** facts of abuse: who sends what, and the stable code that is the answer. */
import { expect, test } from 'vitest';
import type { Policy } from '../../src/agent/admission/policy.ts';
import type { Refusal } from '../../src/protocol/refusal.ts';
import { RefusalSchema } from '../../src/protocol/refusal.ts';
import type { Request } from '../../src/protocol/request.ts';
import type { Clock } from '../../src/util/clock.ts';
import { systemClock } from '../../src/util/clock.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
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
  refused,
  requestOf,
  sealed,
  startAgent,
} from './harness.ts';

const _HOUR_MS = 3_600_000;

const _clockAt = (offset: number): Clock => ({ ...systemClock, now: () => Date.now() + offset });
const _nowSeconds = () => Math.floor(Date.now() / 1000);

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
  ['an unknown key', { more: 1 } as never, 'unsupported'],
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

test('submit refuses a signer that is no controller, and an agent of the same CA', async () => {
  const plain = await ca.identity('deploy.example.com', { ppCliAuth: false });
  const other = await ca.identity('agent2.example.com', { role: 'agent' });
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

test('what a runner cannot honour is refused with the version of the agent, and the runner', async () => {
  const agent = await startAgent(tempFolder(), { runner: command('ok') });
  const body = await sealed(requestOf({ action: { op: 'run', noop: true } }));
  const error = await agent.submit(body, peerOf()).catch((thrown: Refusal) => thrown);
  expect((error as Refusal).body).toEqual({ code: 'unsupported', version: '0.0.0-test', runner: 'command' });
});

test('only a code travels: no refusal has another key than the schema names', () => {
  expect(Object.keys(RefusalSchema.entries).sort()).toEqual(['code', 'runner', 'time', 'unknown', 'version']);
});
