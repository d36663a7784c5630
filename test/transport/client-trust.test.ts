/** The sender and certificates: whose it takes at the other end, and what it says where its own is not taken. */
import { expect, test } from 'vitest';
import type { Identity } from '../../src/pki/identity.ts';
import { Refusal } from '../../src/protocol/refusal.ts';
import type { SendError } from '../../src/transport/transport.ts';
import { mintCa, selfSigned } from '../../tools/mint/mint-ca.ts';
import { tlsServer } from './liars.ts';
import { agentIdentity, BODY, ca, controller, fail, status, submit } from './sending.ts';
import { anySignal, failureOf, serveUntilFinished, startAgent, startSender, targetAt } from './support.ts';

/** Until it is given up that the agent asks for the body. */
const ASKED = { continueMs: 300 };

async function failWith(server: Identity, client: Identity = controller): Promise<SendError> {
  const port = await serveUntilFinished(tlsServer({ identity: server }));
  const failure = await failureOf(startSender(client).submit(targetAt(port), BODY, { signal: anySignal() }));
  expect(failure).toMatchObject({ failure: 'certificate', arrived: false });
  return failure;
}

test('Sender names the host whose certificate of our CA it met', async () => {
  const { message } = await failWith(ca.agent('other.example.com'));
  expect(message).toBe('the certificate there is that of "other.example.com"');
});

test('Sender does not take a certificate for its DNS names alone', async () => {
  const both = ca.agent('other.example.com', {
    alternativeNames: ['other.example.com', 'agent.example.com'],
  });
  expect((await failWith(both)).message).toContain('"other.example.com"');
});

test('Sender takes a certificate with the certname among several DNS names', async () => {
  const several = ca.agent('agent.example.com', { alternativeNames: ['puppet', 'agent.example.com'] });
  const { message } = await fail(await serveUntilFinished(tlsServer({ identity: several })), submit, ASKED);
  expect(message).toBe('kick agent does not answer within 300ms'); // so it was asked
});

test('Sender does not take a certificate without the DNS name', async () => {
  const without = ca.agent('agent.example.com', { alternativeNames: ['*.example.com'] });
  expect((await failWith(without)).message).toContain('DNS names');
});

test.each([
  [['agent.example.com', 'agent.example.com']],
  [['other.example.com', 'agent.example.com']],
  [['agent.example.com\n']],
  [['agent.example.com\0.evil.example']],
])('Sender does not take a certificate with the common names %j', async (commonNames) => {
  await failWith(ca.agent('agent.example.com', { commonNames }));
});

test('Sender does not repeat a name that is no certname', async () => {
  const { message } = await failWith(ca.agent('agent.example.com', { commonNames: ['Evil "host"'] }));
  expect(message).not.toContain('Evil');
});

test('Sender says so when the certificate is not of our CA', async () => {
  for (const server of [mintCa({ name: 'Other' }).agent(), mintCa().agent(), selfSigned(agentIdentity)]) {
    expect((await failWith(server)).message).toContain('not of our CA');
  }
});

test('Sender says so when the certificate has expired or is not valid yet', async () => {
  const old = ca.agent('agent.example.com', { notAfter: Date.now() - 1000 });
  expect((await failWith(old)).message).toBe('the certificate there has expired');
  const early = ca.agent('agent.example.com', { notBefore: Date.now() + 3_600_000 });
  expect((await failWith(early)).message).toContain('not valid yet');
});

test('Sender says so when the certificate is revoked', async () => {
  const own = mintCa();
  const server = own.agent();
  own.revoke(server);
  expect((await failWith(server, own.controller())).message).toBe('the certificate there is revoked');
});

test('Sender says so when a certificate for clients serves', async () => {
  const client = ca.controller('agent.example.com', { purposes: ['clientAuth'] });
  expect((await failWith(client)).message).toContain('not for a server');
});

test('Sender says so when its own CRL is out of date', async () => {
  const old = mintCa({ crlDays: -1 });
  expect((await failWith(old.agent(), old.controller())).message).toContain('our CRL is out of date');
});

test('Sender refuses an identity without CA or CRL', () => {
  expect(() => startSender({ ...controller, ca: [] })).toThrow(expect.objectContaining({ code: 'identity' }));
  expect(() => startSender({ ...controller, crls: [] })).toThrow(
    expect.objectContaining({ code: 'identity' }),
  );
});

test.each([
  ['another CA', () => mintCa({ name: 'Other' }).controller()],
  ['a certificate for servers only', () => ca.controller('c.example.com', { purposes: ['serverAuth'] })],
])('Sender says not-trusted when the agent ends the connection over %s', async (_what, make) => {
  const { target, calls } = await startAgent(agentIdentity);
  const client = { ...make(), ca: agentIdentity.ca, crls: agentIdentity.crls };
  for (const call of [submit, status]) {
    const failure = await failureOf(call(startSender(client), target.port));
    expect(failure).toMatchObject({ failure: 'not-trusted', arrived: false });
  }
  expect(calls).toEqual([]);
});

test('Sender says not-trusted when its certificate is revoked at the agent', async () => {
  const own = mintCa();
  const client = own.controller();
  own.revoke(client);
  const { target } = await startAgent(own.agent());
  expect(await failureOf(submit(startSender(client), target.port))).toMatchObject({
    failure: 'not-trusted',
    arrived: false,
  });
});

test('Sender says refused, with the code and its meaning', async () => {
  const { target } = await startAgent(agentIdentity, {
    service: { submit: () => Promise.reject(new Refusal('clock-skew', 'x', { time: 99 })) },
  });
  expect(await failureOf(submit(startSender(controller), target.port))).toMatchObject({
    failure: 'refused',
    arrived: false,
    refusal: { code: 'clock-skew', time: 99 },
    message: "the two hosts' clocks differ by more than a minute",
  });
});

test('Sender sends no body to an agent that refuses it by its length', async () => {
  const { target, calls } = await startAgent(agentIdentity);
  const big = Buffer.alloc(40_000);
  const failure = await failureOf(startSender(controller).submit(target, big, { signal: anySignal() }));
  expect(failure).toMatchObject({ failure: 'refused', arrived: false, refusal: { code: 'too-large' } });
  expect(calls).toEqual([]);
});

test('Sender does not know whether a request arrived that met an internal error', async () => {
  const { target } = await startAgent(agentIdentity, {
    service: { submit: () => Promise.reject(new Error('boom')) },
  });
  const failure = await failureOf(submit(startSender(controller), target.port));
  expect(failure).toMatchObject({ failure: 'refused', arrived: true, refusal: { code: 'internal' } });
});
