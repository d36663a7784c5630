/** A flood of connections, with and without a certificate: the controller is served all the same. */
import { expect, test } from 'vitest';
import { isController } from '../../src/agent/admission/checks.ts';
import type { Identity } from '../../src/pki/identity.ts';
import { Refusal } from '../../src/protocol/refusal.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { deferred } from '../support/deferred.ts';
import { anySignal, head, knock, post, speak, startAgent, startSender } from './support.ts';

const ca = mintCa();
const controller = ca.controller();
const stranger = ca.agent('web9.example.com');

/** Controllers by name, as an agent's policy has them. */
const POLICY = { controllers: [{ name: controller.certname }], trustPpCliAuth: false };
const service = {
  isController: (certificate: Uint8Array) => isController(certificate, POLICY),
  greet: async ({ certificate }: { certificate: Uint8Array }) => {
    if (!isController(certificate, POLICY)) throw new Refusal('controller-not-allowed', 'a test');
  },
};

async function ask15(target: Parameters<ReturnType<typeof startSender>['status']>[0], identity: Identity) {
  const sender = startSender(identity);
  let served = 0;
  for (let i = 0; i < 15; i++) {
    await sender.status(target, { signal: anySignal() }).then(
      () => served++,
      () => {},
    );
  }
  return served;
}

test.each([
  ['8 addresses', 64, 8],
  ['500 addresses', 1000, 500],
  ["the controller's own address", 600, 1],
])(
  'idle connections without a certificate from %s leave the controller its place',
  async (_, count, addresses) => {
    const agent = await startAgent(ca.agent(), { service });
    const flood = Array.from({ length: count }, (_, i) =>
      knock(agent.listener.port, {
        localAddress:
          addresses === 1 ? '127.0.0.1' : `127.1.${(i % addresses) >> 8}.${(i % addresses) & 255 || 1}`,
      }),
    );
    await Promise.all(flood.map(({ socket }) => new Promise((done) => socket.once('connect', done))));
    expect(await ask15(agent.target, controller)).toBe(15);
  },
);

test("idle connections with another host's certificate leave the controller its place", async () => {
  const agent = await startAgent(ca.agent(), { service });
  const { port } = agent.listener;
  const held = Array.from({ length: 40 }, async () => {
    const isThere = deferred();
    void speak(port, { identity: stranger, onSecure: isThere.resolve });
    await isThere.promise;
  });
  await Promise.all(held);
  expect(await ask15(agent.target, controller)).toBe(15);
});

test('a host that is no controller is refused before its body is read', async () => {
  const agent = await startAgent(ca.agent(), { service });
  const say = head('POST /v1/runs', { 'content-type': 'application/jose+json', 'content-length': 32_000 });
  const heard = await speak(agent.listener.port, { identity: stranger, say });
  expect(heard.status).toBe(403);
  expect(heard.text).toContain('controller-not-allowed');
  expect(agent.calls).toEqual([]);
  const allowed = await speak(agent.listener.port, {
    identity: controller,
    say: post('/v1/runs', { body: '{}' }),
  });
  expect(allowed.status).toBe(200);
});
