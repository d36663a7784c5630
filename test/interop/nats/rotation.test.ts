/** Certificates and CAs that change while everything goes through a broker. */
import { expect, test } from 'vitest';
import type { Identity } from '../../../src/pki/identity.ts';
import { mintCa } from '../../../tools/mint/mint-ca.ts';
import { startNats } from '../../support/nats-server.ts';
import { BODY, finished } from '../../transport/streaming.ts';
import { accepted, anySignal, collect, failureOf } from '../../transport/support.ts';
import { agentAt, agentIdentity, ca, controller, PARTIES, senderAt, TARGET } from './way.ts';

const signal = anySignal();

test('an agent comes back to the broker with its new certificate, and says when that of the broker ends', async () => {
  const { address } = await startNats(PARTIES);
  const agent = await agentAt(address);
  const { sender } = senderAt(address);
  await sender.status(TARGET, { signal });
  expect(agent.link.brokerStatus()?.certificateEnds).toBeGreaterThan(Date.now());
  const next = ca.agent();
  agent.listener.setIdentity(next);
  agent.link.setIdentity(next);
  await expect
    .poll(() => agent.link.brokerStatus())
    .toMatchObject({
      reconnects: 1,
      server: expect.any(String),
    });
  await sender.status(TARGET, { signal });
});

test('a controller of a new CA is served beside one of the old; what the agent believes no more loses its stream', async () => {
  const young = mintCa({ name: 'New CA' });
  const { address } = await startNats(PARTIES);
  let end = () => {};
  const over = new Promise<void>((resolve) => (end = resolve));
  const agent = await agentAt(address, {
    service: {
      submit: async () =>
        async function* () {
          yield accepted();
          await over;
          yield finished;
        },
    },
  });
  const both = (own: Identity): Identity => {
    const other = young.agent();
    return { ...own, ca: [...agentIdentity.ca, ...other.ca], crls: [...agentIdentity.crls, ...other.crls] };
  };
  agent.listener.setIdentity(both(agentIdentity));
  // To the broker both come with the certificate that it knows.
  const open = async (identity: Identity) => {
    const { sender } = senderAt(address, { broker: controller, identity });
    const events = (await sender.submit(TARGET, BODY, { signal }))[Symbol.asyncIterator]();
    expect((await events.next()).value).toEqual(accepted());
    return { [Symbol.asyncIterator]: () => events };
  };
  const [theirs, ours] = [await open(both(controller)), await open(both(young.controller()))];
  agent.listener.setIdentity({ ...both(agentIdentity), ca: young.agent().ca, crls: young.agent().crls });
  expect(await failureOf(collect(theirs))).toMatchObject({ failure: 'broken' });
  end();
  expect(await collect(ours)).toEqual([finished]);
});
