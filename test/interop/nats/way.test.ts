/** A kick through a real nats-server: the same TLS, requests and events as at a port. */
import { expect, test } from 'vitest';
import type { StoredEvent } from '../../../src/protocol/event.ts';
import { acceptStreams } from '../../../src/transport/nats/acceptor.ts';
import type { AgentService } from '../../../src/transport/transport.ts';
import { deferred } from '../../support/deferred.ts';
import { startNatsProxy } from '../../support/nats-proxy.ts';
import { startNats } from '../../support/nats-server.ts';
import { accepted, anySignal, collect, failureOf, JOB, STATUS, startAgent } from '../../transport/support.ts';
import { agentAt, agentIdentity, connectTo, PARTIES, senderAt, soon, TARGET } from './way.ts';

const BODY = Buffer.from('{"protected":"x"}');
const signal = anySignal();

const output = (seq: number, text: string): StoredEvent => ({
  seq,
  at: 1000,
  type: 'log',
  lines: [{ level: 'notice', message: text }],
});

/** A run that has no end; `begun` resolves once its first event is sent. */
function endless(): { service: Pick<AgentService, 'submit'>; begun: Promise<void> } {
  const begun = deferred<void>();
  const submit: AgentService['submit'] = async () =>
    async function* (aborted) {
      yield accepted();
      begun.resolve();
      await new Promise((resolve) => aborted.addEventListener('abort', resolve));
    };
  return { service: { submit }, begun: begun.promise };
}

test('a request, its events and a status go through a broker, and the agent sees who asks', async () => {
  const { address } = await startNats(PARTIES);
  const events = [
    accepted(),
    ...Array.from({ length: 500 }, (_, i) => output(i + 2, `line ${i} ${'x'.repeat(2000)}`)),
  ];
  const peers: string[] = [];
  const agent = await agentAt(address, {
    service: {
      async submit(body, peer) {
        expect(Buffer.from(body).equals(BODY)).toBe(true);
        peers.push(peer.address);
        return async function* () {
          yield* events;
        };
      },
    },
  });
  const { sender } = senderAt(address);
  expect(await sender.status(TARGET, { signal })).toEqual(STATUS);
  expect(await collect(await sender.submit(TARGET, BODY, { signal }))).toEqual(events);
  expect(peers).toEqual(['nats:controller.example.com']);
  expect(agent.log.lines).toEqual([]);
});

test('an agent that is not at the broker is told apart at once', async () => {
  const { address } = await startNats(PARTIES);
  const { sender } = senderAt(address);
  const error = await failureOf(sender.status(TARGET, { signal }));
  expect(error).toMatchObject({
    failure: 'connection-refused',
    arrived: false,
    message: 'kick agent is not connected to the broker',
  });
});

test('a broker that is not there, and one that dies in the middle of a stream', async () => {
  const server = await startNats(PARTIES);
  const { service, begun } = endless();
  await agentAt(server.address, { service });
  const { sender, link } = senderAt(server.address);
  const stream = await sender.submit(TARGET, BODY, { signal });
  const ended = failureOf(collect(stream));
  await begun;
  await server.kill('SIGKILL');
  expect(await ended).toMatchObject({ failure: 'broken', arrived: true });
  const impatient = senderAt(server.address, { connectTimeoutMs: 500 });
  await expect.poll(() => impatient.link.status().reason).toBe('nothing listens there');
  const down = await failureOf(impatient.sender.status(TARGET, { signal }));
  expect(down.message).toMatch(/^no connection to a broker within 500ms: nothing listens there$/);
  expect(down).toMatchObject({ failure: 'no-answer', arrived: false });
  await server.start();
  await soon(link);
  await expect.poll(() => sender.status(TARGET, { signal }).catch(() => undefined)).toEqual(STATUS);
  expect(link.status()).toMatchObject({ state: 'connected', reconnects: 1 });
});

test('an agent that leaves the broker in the middle of a stream ends it at once', async () => {
  const { address } = await startNats(PARTIES);
  const { service, begun } = endless();
  const agent = await agentAt(address, { service });
  const { sender } = senderAt(address);
  const ended = failureOf(collect(await sender.submit(TARGET, BODY, { signal })));
  await begun;
  await agent.link.close();
  expect(await ended).toMatchObject({ failure: 'broken', arrived: true });
});

test('an agent whose connection dies without a word is missed by a probe', async () => {
  const { port } = await startNats({ ...PARTIES, edit: () => 'listen: 127.0.0.1:PORT\n' });
  const proxy = await startNatsProxy(port);
  const { service, begun } = endless();
  await agentAt(proxy.address, { service, tls: false });
  const { sender } = senderAt(`127.0.0.1:${port}`, { tls: false });
  const ended = failureOf(collect(await sender.submit(TARGET, BODY, { signal })));
  await begun;
  proxy.cut();
  expect(await ended).toMatchObject({ failure: 'broken', arrived: true });
});

test('both ways to one host: auto goes to the port, and through the broker where none listens', async () => {
  const { address } = await startNats(PARTIES);
  const agent = await agentAt(address);
  const { sender } = senderAt(address);
  const direct = { ...agent.target, via: 'auto' as const };
  expect(await sender.status(direct, { signal })).toEqual(STATUS);
  expect(await sender.status({ ...TARGET, via: 'auto' }, { signal })).toEqual(STATUS);
});

test('auto names what stands against either way', async () => {
  const { address } = await startNats(PARTIES);
  const { sender } = senderAt(address);
  const error = await failureOf(sender.status({ ...TARGET, via: 'auto' }, { signal }));
  expect(error.message).toBe(
    'port 1 of "127.0.0.1" refused: kick agent is not running; by NATS: kick agent is not connected to the broker',
  );
});

test('a name with blanks or wildcards cannot be dialled, and no other host is', async () => {
  const { address } = await startNats(PARTIES);
  await agentAt(address);
  const { sender } = senderAt(address);
  for (const certname of ['*.example.com', '>', 'a b', 'a..b', '.a']) {
    const error = await failureOf(sender.status({ ...TARGET, certname }, { signal }));
    expect(error).toMatchObject({ failure: 'no-such-name', message: expect.stringMatching(/does not fit/) });
  }
});

test('a listener without a port takes streams only', async () => {
  const { address } = await startNats(PARTIES);
  const agent = await startAgent(agentIdentity, { port: undefined });
  expect(agent.listener.port).toBe(0);
  const { link } = connectTo(address, agentIdentity);
  acceptStreams(link, agentIdentity.certname, (stream) => agent.listener.accept(stream));
  await soon(link);
  const { sender } = senderAt(address);
  expect(await sender.status(TARGET, { signal })).toEqual(STATUS);
  const events = await collect(await sender.resume(TARGET, { job: JOB, after: 0, signal }));
  expect(events).toEqual([]);
});

test('who has no user is refused by the broker, and told so', async () => {
  const { address } = await startNats({ ...PARTIES, controllers: [] });
  await agentAt(address);
  const { sender, link } = senderAt(address, { connectTimeoutMs: 500 });
  await expect.poll(() => link.status().reason).toBeDefined();
  const error = await failureOf(sender.status(TARGET, { signal }));
  expect(error.message).toMatch(/knows no user for our certificate .* see kick nats config$/);
});

test('a connection that is closed keeps no process alive', async () => {
  const { address } = await startNats(PARTIES);
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
  const before = timers();
  const { link } = connectTo(address, agentIdentity);
  await soon(link);
  await link.close();
  expect(timers()).toBeLessThanOrEqual(before);
});
