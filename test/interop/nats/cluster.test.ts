/** A cluster of three brokers of which one is killed in the middle of a hundred runs. */
import { expect, test } from 'vitest';
import { freePort } from '../../../tools/loopback.ts';
import { type NatsServer, startNats } from '../../support/nats-server.ts';
import { type Parties, realSite } from '../../support/real-site.ts';

const HOSTS = 50;

async function cluster(parties: Parties): Promise<NatsServer[]> {
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const routes = ports.map((port) => `nats-route://127.0.0.1:${port}`).join(', ');
  return Promise.all(
    ports.map((port, index) =>
      startNats({
        ...parties,
        edit: (config) =>
          `${config}\nserver_name: n${index}\ncluster {name: kick, listen: "127.0.0.1:${port}", routes: [${routes}]}\n`,
      }),
    ),
  );
}

test('a broker of three is killed in the middle of 100 runs: every outcome is true, no host runs twice', async () => {
  let servers: NatsServer[] = [];
  const nats = async (parties: Parties) => {
    servers = await cluster(parties);
    return { address: servers.map(({ address }) => address) };
  };
  const site = await realSite(HOSTS, () => 'echo begin >> $JOURNAL; held; echo end >> $JOURNAL', { nats });
  for (const round of [0, 1]) {
    site.hold();
    const begun = (times: number) => site.names.filter((name) => site.journal(name).length >= times).length;
    const kicked = site.kick('--all', '--format', 'json', '--concurrency', '100', '--lost-after', '5m');
    await expect.poll(() => begun(2 * round + 1)).toBeGreaterThan(HOSTS / 2);
    await servers[round]?.kill('SIGKILL');
    site.release();
    const { out, code } = await kicked;
    const { hosts } = JSON.parse(out) as { hosts: { certname: string; outcome: string }[] };
    expect(hosts.filter(({ outcome }) => outcome !== 'unchanged')).toEqual([]);
    expect(code).toBe(0);
    await servers[round]?.start();
  }
  for (const name of site.names) expect(site.journal(name)).toEqual(['begin', 'end', 'begin', 'end']);
});
