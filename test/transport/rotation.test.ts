/** Certificates, CAs and CRLs that change under streams: what is still believed goes on, the rest ends at once. */
import { expect, test } from 'vitest';
import type { Identity } from '../../src/pki/identity.ts';
import type { IncomingEvent } from '../../src/transport/transport.ts';
import { type MintedCa, mintCa } from '../../tools/mint/mint-ca.ts';
import { deferred } from '../support/deferred.ts';
import { BODY, finished } from './streaming.ts';
import { accepted, anySignal, collect, failureOf, startAgent, startSender } from './support.ts';

/** An agent whose streams end when `end` is called. */
async function agentWithStreams(identity: Identity) {
  const over = deferred();
  const { listener, target, log } = await startAgent(identity, {
    service: {
      submit: async () =>
        async function* () {
          yield accepted();
          await over.promise;
          yield finished;
        },
    },
  });
  /** A stream that has begun; what is left of it. */
  const open = async (as: Identity) => {
    const events = await startSender(as).submit(target, BODY, { signal: anySignal() });
    const rest = events[Symbol.asyncIterator]();
    expect((await rest.next()).value).toEqual(accepted());
    return { [Symbol.asyncIterator]: () => rest } as AsyncIterable<IncomingEvent>;
  };
  const ask = (as: Identity) => startSender(as).status(target, { signal: anySignal() });
  return { listener, log, open, ask, end: over.resolve };
}

const bothOf = (...cas: MintedCa[]): Pick<Identity, 'ca' | 'crls'> => {
  const all = cas.map((one) => one.agent());
  return { ca: all.flatMap(({ ca }) => ca), crls: all.flatMap(({ crls }) => crls) };
};

const CLOSED = 'connection closed: its certificate is not believed any more';

test.each([
  ['', {}],
  [' of a CA below a root, as Puppet has it', { intermediate: true }],
])(
  'a controller%s that is revoked loses its stream as soon as the CRL says so, and no other does',
  async (_, options) => {
    const ca = mintCa(options);
    const identity = ca.agent();
    const [revoked, other] = [ca.controller(), ca.controller('other.example.com')];
    const agent = await agentWithStreams(identity);
    const [theirs, ours] = [await agent.open(revoked), await agent.open(other)];
    ca.revoke(revoked);
    agent.listener.setIdentity({ ...identity, crls: ca.agent().crls });
    expect(await failureOf(collect(theirs))).toMatchObject({ failure: 'broken', arrived: true });
    expect(agent.log.lines.map(({ message }) => message)).toContain(CLOSED);
    expect(await failureOf(agent.ask(revoked))).toMatchObject({ failure: 'not-trusted' });
    agent.end();
    expect(await collect(ours)).toEqual([finished]);
  },
);

test('a controller that is denied loses its stream as well', async () => {
  const ca = mintCa();
  const identity = ca.agent();
  const controller = ca.controller();
  const agent = await agentWithStreams(identity);
  const stream = await agent.open(controller);
  agent.listener.setIdentity({ ...identity, denied: { denies: () => controller.certname } });
  expect(await failureOf(collect(stream))).toMatchObject({ failure: 'broken' });
});

test('two CAs at once: controllers of both are served; the old CA goes, and those of it with their streams', async () => {
  const [old, young] = [mintCa({ name: 'Old CA' }), mintCa({ name: 'New CA' })];
  const both = bothOf(old, young);
  const agents = [old.agent(), young.agent()].map((identity) => ({ ...identity, ...both }));
  const controllers = [old.controller('old.example.com'), young.controller('new.example.com')].map(
    (identity) => ({ ...identity, ...both }),
  );
  for (const identity of agents) {
    const agent = await agentWithStreams(identity);
    const [theirs, ours] = await Promise.all(controllers.map((one) => agent.open(one)));
    if (theirs === undefined || ours === undefined) expect.fail();
    agent.listener.setIdentity({ ...young.agent(), ...bothOf(young) });
    expect(await failureOf(collect(theirs))).toMatchObject({ failure: 'broken' });
    expect(await failureOf(agent.ask(controllers[0] as Identity))).toMatchObject({ failure: 'not-trusted' });
    await agent.ask(controllers[1] as Identity);
    agent.end();
    expect(await collect(ours)).toEqual([finished]);
  }
});

test("an agent's own certificate, and a CRL that revokes somebody else, change under a stream that goes on", async () => {
  const ca = mintCa();
  const controller = ca.controller();
  const agent = await agentWithStreams(ca.agent());
  const stream = await agent.open(controller);
  ca.revoke(ca.controller('other.example.com'));
  agent.listener.setIdentity(ca.agent());
  await agent.ask({ ...controller, crls: ca.agent().crls });
  agent.end();
  expect(await collect(stream)).toEqual([finished]);
  expect(agent.log.lines.map(({ message }) => message)).not.toContain(CLOSED);
});
