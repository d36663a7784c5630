/** Whoever is not who they should be, at a broker that would let them: TLS inside decides, and nothing runs. */
import { expect, test } from 'vitest';
import { Refusal } from '../../../src/protocol/refusal.ts';
import { anyReach } from '../../../src/transport/https/client/any-reach.ts';
import { acceptStreams } from '../../../src/transport/nats/acceptor.ts';
import { NatsDialler } from '../../../src/transport/nats/dialler.ts';
import { mintCa } from '../../../tools/mint/mint-ca.ts';
import { startNats } from '../../support/nats-server.ts';
import { realSite } from '../../support/real-site.ts';
import { anySignal, failureOf, STATUS, startAgent, startSender } from '../../transport/support.ts';
import { connectTo, soon } from './way.ts';

const signal = anySignal();
const BODY = Buffer.from('{"protected":"x"}');
const [AGENT, OTHER, CONTROLLER] = ['web1.example.com', 'web2.example.com', 'puppet.example.com'];
const TARGET = { certname: AGENT, host: '127.0.0.1', port: 1, via: 'nats' as const };

/** As a site that was made before kick nats config: whoever has a certificate may do anything. */
const open = (config: string) =>
  config.replace(/authorization \{[\s\S]*$/, '').replace('verify_and_map', 'verify');

const startOpen = (ca = mintCa()) =>
  startNats({ ca, agents: [AGENT, OTHER], controllers: [CONTROLLER], edit: open });

async function agentAt(
  address: string,
  identity: ReturnType<ReturnType<typeof mintCa>['agent']>,
  certname: string,
  service = {},
) {
  const agent = await startAgent(identity, { port: undefined, service });
  const { link } = connectTo(address, identity);
  acceptStreams(link, certname, (stream) => agent.listener.accept(stream));
  await soon(link);
  return agent;
}

function senderAt(address: string, identity: ReturnType<ReturnType<typeof mintCa>['controller']>) {
  const { link } = connectTo(address, identity);
  const streams = new NatsDialler(link, identity.certname);
  return startSender(identity, { reach: (direct) => anyReach({ ...direct, streams }) });
}

test('an agent whose certificate is revoked is let in by the broker, and not by the controller', async () => {
  const ca = mintCa();
  const { address } = await startOpen(ca);
  const revoked = ca.agent(AGENT);
  ca.revoke(revoked);
  const agent = await agentAt(address, revoked, AGENT);
  const sender = senderAt(address, ca.controller(CONTROLLER));
  const failure = await failureOf(sender.submit(TARGET, BODY, { signal }));
  expect(failure).toMatchObject({
    failure: 'certificate',
    arrived: false,
    message: expect.stringMatching(/revoked/),
  });
  expect(agent.calls).toEqual([]);
});

test('a controller whose certificate is revoked is let in by the broker, and not by the agent', async () => {
  const ca = mintCa();
  const { address } = await startOpen(ca);
  const revoked = ca.controller(CONTROLLER);
  ca.revoke(revoked);
  const agent = await agentAt(address, ca.agent(AGENT), AGENT);
  const failure = await failureOf(senderAt(address, revoked).submit(TARGET, BODY, { signal }));
  expect(failure).toMatchObject({ failure: 'not-trusted' });
  expect(agent.calls).toEqual([]);
});

test('an agent that takes the calls for another is seen through, alone or beside the real one', async () => {
  const ca = mintCa();
  const { address } = await startOpen(ca);
  const impostor = await agentAt(address, ca.agent(OTHER), AGENT);
  const sender = senderAt(address, ca.controller(CONTROLLER));
  const alone = await failureOf(sender.submit(TARGET, BODY, { signal }));
  expect(alone).toMatchObject({ failure: 'certificate', arrived: false });
  const real = await agentAt(address, ca.agent(AGENT), AGENT);
  // Two that answer break the stream; sometimes one of them is faster.
  const both = await sender.status(TARGET, { signal }).catch((error: unknown) => error);
  if (!(both instanceof Error)) expect(both).toEqual(STATUS);
  expect(impostor.calls).toEqual([]);
  expect(real.calls.every((name) => name === 'status')).toBe(true);
});

test('with the permissions that kick writes, the broker lets nobody take the calls for another', async () => {
  const ca = mintCa();
  const { address } = await startNats({ ca, agents: [AGENT, OTHER], controllers: [CONTROLLER] });
  const { link, log } = connectTo(address, ca.agent(OTHER));
  const taken: unknown[] = [];
  acceptStreams(link, AGENT, (stream) => taken.push(stream));
  await soon(link);
  await expect
    .poll(() => log.lines.filter(({ message }) => message.includes('does not allow')).length)
    .toBe(2);
  const sender = senderAt(address, ca.controller(CONTROLLER));
  expect(await failureOf(sender.status(TARGET, { signal }))).toMatchObject({ failure: 'connection-refused' });
  const real = await agentAt(address, ca.agent(AGENT), AGENT);
  expect(await sender.status(TARGET, { signal })).toEqual(STATUS);
  expect(real.calls).toEqual(['status']);
  expect(taken).toEqual([]);
});

test('a controller that another host poses as, or that the policy does not name, is refused through the broker, too', async () => {
  const ca = mintCa();
  const { address } = await startOpen(ca);
  const greet = async () => {
    throw new Refusal('controller-not-allowed', 'this certificate may not kick this host');
  };
  const agent = await agentAt(address, ca.agent(AGENT), AGENT, { greet });
  const failure = await failureOf(
    senderAt(address, ca.controller(CONTROLLER)).submit(TARGET, BODY, { signal }),
  );
  expect(failure).toMatchObject({ failure: 'refused', refusal: { code: 'controller-not-allowed' } });
  expect(agent.calls).not.toContain('submit');
});

test('a kick by a controller that the policy does not name: refused, and nothing runs', async () => {
  const site = await realSite(2, () => 'echo begin >> $JOURNAL', {
    nats: startNats,
    controller: { ppCliAuth: false },
  });
  const { code, out } = await site.kick('--all', '--format', 'json');
  const { hosts } = JSON.parse(out) as { hosts: { outcome: string; reason?: string }[] };
  expect(hosts.map(({ outcome }) => outcome)).toEqual(['refused', 'refused']);
  expect(code).toBe(3);
  expect(site.names.map((name) => site.journal(name))).toEqual([[], []]);
});
