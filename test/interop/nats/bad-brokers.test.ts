/**
 * Brokers that are not what they should be, that stop, and controllers that misuse one. KICK_TEST_BROKER_STOP_S=60 stops
 * them for so many seconds.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Job } from '../../../src/controller/jobs/job.ts';
import { sealedRequest } from '../../../src/controller/jobs/seal-request.ts';
import { controllerToken, dialSubject, downSubject } from '../../../src/transport/nats/subjects.ts';
import type { Target } from '../../../src/transport/transport.ts';
import { uuidv7 } from '../../../src/util/uuid.ts';
import { type MintedCa, mintCa } from '../../../tools/mint/mint-ca.ts';
import { type NatsServer, startNats } from '../../support/nats-server.ts';
import { type Parties, realSite } from '../../support/real-site.ts';
import { anySignal, collect, failureOf, STATUS } from '../../transport/support.ts';
import { agentAt, connectTo, controller, PARTIES, senderAt, soon, TARGET } from './way.ts';

const signal = anySignal();
const OUTAGE_MS = 1000 * Number(process.env['KICK_TEST_BROKER_STOP_S'] ?? 0.1);

async function reasonAt(address: string): Promise<string> {
  const { sender, link } = senderAt(address, { connectTimeoutMs: 500 });
  await expect.poll(() => link.status().reason).toBeDefined();
  const { message, failure, arrived } = await failureOf(sender.status(TARGET, { signal }));
  expect({ failure, arrived }).toEqual({ failure: 'no-answer', arrived: false });
  return message;
}

test('a server without TLS, of another CA, or with another name is not used, and told apart', async () => {
  const plain = await startNats({ ...PARTIES, edit: () => 'listen: 127.0.0.1:PORT\n' });
  expect(await reasonAt(plain.address)).toMatch(/: the server has no TLS$/);
  const foreign = await startNats({ ...PARTIES, ca: mintCa({ name: 'Stranger CA' }) });
  expect(await reasonAt(foreign.address)).toMatch(/: the certificate there is not of our CA/);
  const named = await startNats(PARTIES);
  expect(await reasonAt(`127.0.0.1:${named.port}`)).toMatch(/does not match certificate's altnames/);
});

const OUTAGES: [string, (server: NatsServer) => Promise<() => Promise<void>>][] = [
  [
    'stands still',
    async (server) => {
      process.kill(server.pid(), 'SIGSTOP');
      return async () => void process.kill(server.pid(), 'SIGCONT');
    },
  ],
  [
    'is killed',
    async (server) => {
      await server.kill('SIGKILL');
      return () => server.start();
    },
  ],
];

test.each(OUTAGES)('a broker that %s in the middle of runs, and is back later', async (_, stop) => {
  let server: NatsServer | undefined;
  const nats = async (parties: Parties) => {
    server = await startNats(parties);
    return server;
  };
  const site = await realSite(3, () => 'echo begin >> $JOURNAL; held; echo end >> $JOURNAL', { nats });
  const kicked = site.kick('--all', '--format', 'json');
  await expect.poll(() => site.names.flatMap((name) => site.journal(name))).toEqual(Array(3).fill('begin'));
  if (server === undefined) throw new Error('no server');
  const goOn = await stop(server);
  site.release();
  for (const name of site.names) await expect.poll(() => site.journal(name)).toEqual(['begin', 'end']);
  await sleep(OUTAGE_MS);
  await goOn();
  const { code, out } = await kicked;
  expect(JSON.parse(out).hosts.map(({ outcome }: { outcome: string }) => outcome)).toEqual(
    Array(3).fill('unchanged'),
  );
  expect(code).toBe(0);
  for (const name of site.names) expect(site.journal(name)).toEqual(['begin', 'end']);
});

test('the same request by both ways is one run, and both see its end', async () => {
  const known: { server?: NatsServer; ca?: MintedCa } = {};
  const nats = async (parties: Parties) => {
    const server = await startNats({
      ...parties,
      controllers: [...parties.controllers, 'second.example.com'],
    });
    Object.assign(known, { server, ca: parties.ca });
    return server;
  };
  const site = await realSite(1, () => 'echo begin >> $JOURNAL; held', { nats, hasPort: true });
  const identity = known.ca?.controller('second.example.com') ?? controller;
  const target = JSON.parse((await site.kick('nodes', '--all', '--format', 'json')).out).nodes[0] as Target;
  const job: Job = {
    ...{ id: uuidv7(Date.now()), controller: identity.certname, action: { op: 'run' }, concurrency: 1 },
    by: { user: 'test', uid: 0, host: 'here' },
    targets: [target],
  };
  const body = await sealedRequest(job, target.certname, { identity, now: Date.now() });
  const { sender } = senderAt(known.server?.address ?? '', { identity });
  const ends = await Promise.all(
    (['direct', 'nats'] as const).map((via) => sender.submit({ ...target, via }, body, { signal })),
  );
  site.release();
  const outcomes = (await Promise.all(ends.map(collect))).map(
    (events) => events.find(({ type }) => type === 'finished') as { outcome?: string } | undefined,
  );
  expect(outcomes.map((one) => one?.outcome)).toEqual(['unchanged', 'unchanged']);
  expect(site.journal(target.certname)).toEqual(['begin']);
});

test('streams that are opened and never used are bounded, and others still get through', async () => {
  const { address } = await startNats(PARTIES);
  const agent = await agentAt(address, { limits: { handshakes: 32 } });
  const { link } = connectTo(address, controller);
  await soon(link);
  let [accepted, reset] = [0, 0];
  const name = {
    controller: controllerToken(controller.certname),
    session: 'flood',
    certname: TARGET.certname,
  };
  link.subscribe(`kick.v1.down.${name.controller}.flood.>`, ({ data }) => {
    if (data[0] === 1) accepted += 1;
    if (data[0] === 5) reset += 1;
  });
  for (let number = 0; number < 2000; number++) {
    const one = { ...name, number: String(number) };
    link.publish(dialSubject(one), new Uint8Array(0), downSubject(one));
  }
  await expect.poll(() => accepted).toBe(2000);
  await expect.poll(() => reset).toBe(2000 - 32);
  const { sender } = senderAt(address);
  expect(await sender.status(TARGET, { signal })).toEqual(STATUS);
  expect(agent.log.lines.map(({ message }) => message)).toContain('too many handshakes: this one made room');
});
