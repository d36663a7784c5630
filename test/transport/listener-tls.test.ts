/** The listener's TLS: only clients of its CA that no CRL revokes get in. */
import { expect, test } from 'vitest';
import { listenHttps } from '../../src/transport/https/listener/listener.ts';
import { generateKey } from '../../tools/mint/keys.ts';
import { mintCa, selfSigned } from '../../tools/mint/mint-ca.ts';
import { deferred } from '../support/deferred.ts';
import {
  anySignal,
  captureLog,
  head,
  knock,
  type RunningAgent,
  speak,
  startAgent,
  startSender,
} from './support.ts';

const ca = mintCa();
const stranger = mintCa({ name: 'Stranger CA' });
const agentIdentity = ca.agent();
const controller = ca.controller();
const STATUS = head('GET /v1/status');

async function expectNoEntry(agent: RunningAgent, rudeness: Parameters<typeof speak>[1], reason: RegExp) {
  const heard = await speak(agent.listener.port, { say: STATUS, ...rudeness });
  expect(heard.text).toBe('');
  expect(agent.calls).toEqual([]);
  const lines = agent.log.lines.filter(({ message }) => message === 'TLS handshake failed');
  expect(lines[0]?.fields).toMatchObject({ address: '127.0.0.1', reason: expect.stringMatching(reason) });
}

test('listenHttps serves a client of its CA', async () => {
  const agent = await startAgent(agentIdentity);
  const heard = await speak(agent.listener.port, { say: STATUS, identity: controller });
  expect(heard.status).toBe(200);
  expect(agent.calls).toEqual(['status']);
});

test('listenHttps ends the handshake of a client without a certificate', async () => {
  await expectNoEntry(await startAgent(agentIdentity), {}, /PEER_DID_NOT_RETURN_A_CERTIFICATE/);
});

test('listenHttps ends the handshake of a client of another CA', async () => {
  const identity = stranger.controller();
  await expectNoEntry(await startAgent(agentIdentity), { identity }, /UNABLE_TO/);
});

test('listenHttps ends the handshake of a client of another CA with the same name', async () => {
  const identity = mintCa().controller();
  await expectNoEntry(
    await startAgent(agentIdentity),
    { identity },
    /UNABLE_TO_GET_CRL|CERT_SIGNATURE_FAILURE/,
  );
});

test('listenHttps ends the handshake of a self-signed client with the same common name', async () => {
  const identity = selfSigned(controller);
  await expectNoEntry(await startAgent(agentIdentity), { identity }, /UNABLE_TO_GET_CRL/);
});

test('listenHttps ends the handshake of TLS 1.2', async () => {
  const agent = await startAgent(agentIdentity);
  const tls = { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
  await expectNoEntry(agent, { identity: controller, tls }, /UNSUPPORTED_PROTOCOL|VERSION/);
});

test('listenHttps ends the handshake of a client with RSA-1024', async () => {
  const identity = ca.controller('controller.example.com', { keyType: 'rsa-1024' });
  const tls = { ciphers: 'DEFAULT@SECLEVEL=0' };
  await expectNoEntry(await startAgent(agentIdentity), { identity, tls }, /UNSPECIFIED/);
});

test('listenHttps ends the handshake of a client whose certificate is for servers only', async () => {
  const identity = ca.controller('controller.example.com', { purposes: ['serverAuth'] });
  await expectNoEntry(await startAgent(agentIdentity), { identity }, /INVALID_PURPOSE/);
});

test('listenHttps ends the handshake of a revoked client', async () => {
  const own = mintCa();
  const identity = own.controller();
  own.revoke(identity);
  await expectNoEntry(await startAgent(own.agent()), { identity }, /CERT_REVOKED/);
});

test('listenHttps ends the handshake of an expired client', async () => {
  const identity = ca.controller('controller.example.com', { notAfter: Date.now() - 1000 });
  await expectNoEntry(await startAgent(agentIdentity), { identity }, /CERT_HAS_EXPIRED/);
});

test('listenHttps lets nobody in when its CRL has expired', async () => {
  const old = mintCa({ crlDays: -1 });
  await expectNoEntry(await startAgent(old.agent()), { identity: old.controller() }, /CRL_HAS_EXPIRED/);
});

test('listenHttps lets nobody in whose CA has no CRL', async () => {
  const both = { ...agentIdentity, ca: [...agentIdentity.ca, ...stranger.agent().ca] };
  const agent = await startAgent(both);
  const heard = await speak(agent.listener.port, { say: STATUS, identity: controller });
  expect(heard.status).toBe(200);
  agent.calls.length = 0;
  await expectNoEntry(agent, { identity: stranger.controller('c.example.com') }, /UNABLE_TO_GET_CRL/);
});

test('listenHttps takes clients of two CAs when it has the CRLs of both', async () => {
  const both = {
    ...agentIdentity,
    ca: [...agentIdentity.ca, ...stranger.agent().ca],
    crls: [...agentIdentity.crls, ...stranger.agent().crls],
  };
  const agent = await startAgent(both);
  for (const identity of [controller, stranger.controller('c.example.com')]) {
    expect((await speak(agent.listener.port, { say: STATUS, identity })).status).toBe(200);
  }
});

test.each([
  ['no CA', { ca: [] }],
  ['no CRL', { crls: [] }],
  ['an empty CRL', { crls: [''] }],
  ['no certificate', { chain: [] }],
])('listenHttps refuses an identity with %s', async (_what, part) => {
  const work = listenHttps({} as never, {
    identity: { ...agentIdentity, ...part },
    port: 0,
    log: captureLog(),
  });
  await expect(work).rejects.toMatchObject({ code: 'identity' });
});

test('listenHttps says which port is taken', async () => {
  const { listener } = await startAgent(agentIdentity);
  const options = { identity: agentIdentity, port: listener.port, bind: '127.0.0.1', log: captureLog() };
  await expect(listenHttps({} as never, options)).rejects.toMatchObject({
    code: 'config',
    message: expect.stringContaining('EADDRINUSE'),
  });
});

test('listenHttps never resumes a session', async () => {
  const agent = await startAgent(agentIdentity);
  const { connect } = await import('node:tls');
  const { tlsOptions } = await import('../../src/transport/tls/options.ts');
  const once = (session?: Buffer) =>
    new Promise<{ reused: boolean; session: Buffer | undefined }>((resolve) => {
      const options = { ...tlsOptions(controller), secureOptions: 0, rejectUnauthorized: false };
      const socket = connect({
        port: agent.listener.port,
        host: '127.0.0.1',
        ...options,
        ...(session && { session }),
      });
      let ticket: Buffer | undefined;
      let reused = false;
      socket.on('session', (s) => {
        ticket = s;
      });
      socket.on('secureConnect', () => {
        reused = socket.isSessionReused();
        socket.write(STATUS);
      });
      socket.on('error', () => {});
      socket.on('data', () => {});
      socket.on('close', () => resolve({ reused, session: ticket }));
    });
  const first = await once();
  const again = await once(first.session);
  expect(again.reused).toBe(false);
  expect(agent.calls).toEqual(['status', 'status']);
});

test('listenHttps speaks HTTP/1.1 only', async () => {
  const agent = await startAgent(agentIdentity);
  await expectNoEntry(
    agent,
    { identity: controller, tls: { ALPNProtocols: ['h2'] } },
    /ALPN|NO_APPLICATION/i,
  );
});

test('listenHttps closes idle, dripping and plain HTTP connections and serves the good client meanwhile', async () => {
  const limits = { handshakeMs: 1000, checkEveryMs: 100, handshakes: 100 };
  const agent = await startAgent(agentIdentity, { limits });
  const { port } = agent.listener;
  // First, since of failures only ten are logged in a minute.
  const plain = knock(port, { localAddress: '127.0.0.4', say: [Buffer.from(STATUS)] });
  expect(await plain.closed).not.toContain('HTTP');
  const from = { localAddress: '127.0.0.2' };
  const idle = Array.from({ length: 300 }, () => knock(port, from));
  const hello = Buffer.from('16030100f8010000f40303', 'hex');
  const drip = knock(port, {
    localAddress: '127.0.0.3',
    say: [...hello].map((b) => Buffer.from([b])),
    every: 100,
  });
  // On a busy machine the good client may be too slow for that limit as well: then it comes again.
  const sender = startSender(controller);
  const served = () => sender.status(agent.target, { signal: anySignal() }).catch(() => undefined);
  await expect.poll(served).toMatchObject({ certname: 'agent.example.com' });
  const all = [...idle, drip].map(({ closed }) => closed);
  expect((await Promise.all(all)).every((text) => !text.includes('HTTP'))).toBe(true);
  expect(agent.calls).toEqual(['status']);
  const reasons = agent.log.lines.map(({ fields }) => fields['reason']);
  expect(reasons).toContain('ERR_TLS_HANDSHAKE_TIMEOUT');
  expect(reasons).toContain('ERR_SSL_HTTP_REQUEST');
});

test('listenHttps.setIdentity applies a new CRL to new connections and to those that have asked nothing', async () => {
  const own = mintCa();
  const identity = own.agent();
  const client = own.controller();
  const agent = await startAgent(identity);
  const asks = deferred<string>();
  const isConnected = deferred();
  const early = speak(agent.listener.port, {
    ...{ identity: client, later: asks.promise, onSecure: isConnected.resolve },
  });
  await isConnected.promise;
  expect((await speak(agent.listener.port, { identity: client, say: STATUS })).status).toBe(200);
  own.revoke(client);
  agent.listener.setIdentity({ ...identity, crls: own.agent().crls });
  agent.calls.length = 0;
  await expectNoEntry(agent, { identity: client }, /CERT_REVOKED/);
  asks.resolve(STATUS);
  expect((await early).text).toBe('');
});

test('listenHttps.setIdentity throws and keeps the old identity when the new one is unusable', async () => {
  const agent = await startAgent(agentIdentity);
  expect(() => agent.listener.setIdentity({ ...agentIdentity, crls: [] })).toThrow();
  expect(() => agent.listener.setIdentity({ ...agentIdentity, crls: ['rubbish'] })).toThrow();
  expect(() => agent.listener.setIdentity({ ...agentIdentity, key: generateKey('ed25519') })).toThrow();
  expect((await speak(agent.listener.port, { identity: controller, say: STATUS })).status).toBe(200);
});
