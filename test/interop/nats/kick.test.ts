/** kick and its agents with a real nats-server between them, and no port. */
import { expect, test } from 'vitest';
import { type NatsServer, startNats } from '../../support/nats-server.ts';
import { type Parties, realSite } from '../../support/real-site.ts';

const site = (count: number, script: string) => realSite(count, () => script, { nats: startNats });

test('hosts without a port are kicked through the broker, each once, with true outcomes', async () => {
  const hosts = await realSite(4, (_, index) => `echo begin >> $JOURNAL; exit ${index === 3 ? 1 : 0}`, {
    nats: startNats,
  });
  const { code, out } = await hosts.kick('--all', '--format', 'json');
  const { hosts: results } = JSON.parse(out);
  expect(results.map(({ outcome }: { outcome: string }) => outcome)).toEqual([
    ...['unchanged', 'unchanged', 'unchanged', 'failed'],
  ]);
  expect(code).toBe(1);
  expect(hosts.names.map((name) => hosts.journal(name))).toEqual(Array(4).fill(['begin']));
  const status = await hosts.kick('status', '--all', '--format', 'json');
  expect(status.code).toBe(0);
});

test('--via overrides the inventory, and kick nodes --explain says how a host is reached', async () => {
  const hosts = await site(1, 'true');
  const explained = await hosts.kick('nodes', '--all', '--explain');
  expect(explained.out).toMatch(/through NATS/);
  const direct = await hosts.kick('--all', '--via', 'direct', '--port', '1', '--connect-timeout', '2s');
  expect(direct.out).toMatch(/web1\.example\.com/);
  expect(direct.code).not.toBe(0);
  const wrong = await hosts.kick('--all', '--via', 'pigeon');
  expect(wrong).toMatchObject({ code: 2, err: expect.stringMatching(/--via: "pigeon" is not known/) });
});

test('status and doctor tell of a broker that an agent has lost', async () => {
  let server: NatsServer | undefined;
  const nats = async (parties: Parties) => {
    server = await startNats(parties);
    return server;
  };
  const hosts = await realSite(1, () => 'true', { nats, hasPort: true });
  const direct = ['--all', '--via', 'direct'];
  const connected = await hosts.kick('status', ...direct, '--format', 'json');
  expect(JSON.parse(connected.out)[0].broker).toEqual({
    server: server?.address,
    reconnects: 0,
    certificateEnds: expect.any(Number),
  });
  await server?.kill('SIGKILL');
  await expect
    .poll(async () => (await hosts.kick('status', ...direct)).out, { interval: 200 })
    .toMatch(/not connected to NATS/);
  const examined = await hosts.kick('doctor', ...direct);
  expect(examined.out).toMatch(
    /it is not connected to NATS: (nothing listens there|it closed the connection)/,
  );
});
