/** kick nats ping through a real nats-server: everybody, or some; who is silent; and no trace of it at the agents. */
import { expect, test } from 'vitest';
import { startNats } from '../../support/nats-server.ts';
import { type Parties, realSite } from '../../support/real-site.ts';

const site = (count: number) => realSite(count, () => 'true', { nats: startNats });

test('chosen hosts answer with times; one that is not connected is silent, and nothing runs', async () => {
  const hosts = await site(3);
  hosts.inventory({ targets: [{ name: 'gone.example.com', via: 'nats' }] });
  const { code, out } = await hosts.kick('nats', 'ping', 'web1', 'web2', 'gone', '--timeout', '20s');
  expect(code).toBe(3);
  for (const name of ['web1', 'web2'])
    expect(out).toMatch(new RegExp(`^${name}\\.example\\.com +[\\d.]+ms$`, 'm'));
  expect(out).toMatch(/^gone\.example\.com +silent {2}kick agent is not connected to the broker$/m);
  expect(out).toMatch(/^2 of 3 hosts answered within /m);
  expect(out).toMatch(/^min .*, avg .*, median .*, 95% .*, max /m);
  expect(out).toMatch(/█/);
  expect(out).toMatch(/^silent: 1 \(gone\.example\.com\)$/m);
  for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(hosts.names.map((name) => hosts.journal(name))).toEqual([[], [], []]);
});

test('without hosts everybody at the broker answers, and those that should be there are named', async () => {
  const hosts = await site(3);
  const all = await hosts.kick('nats', 'ping', '--format', 'json');
  const document = JSON.parse(all.out);
  expect(document).toMatchObject({ hosts: 3, answered: 3 });
  expect(document.answers.map(({ certname }: { certname: string }) => certname).sort()).toEqual(hosts.names);
  expect(all.code).toBe(0);
  hosts.inventory({ targets: [{ name: 'gone.example.com', via: 'nats' }, { name: 'port.example.com' }] });
  const some = await hosts.kick('nats', 'ping');
  expect(some).toMatchObject({ code: 3, out: expect.stringMatching(/^3 of 4 hosts answered/m) });
  expect(some.out).toMatch(/^gone\.example\.com +silent {2}kick agent is not connected to the broker$/m);
  expect(some.out).toMatch(/^silent: 1 \(gone\.example\.com\)$/m);
});

test('no broker, none that is named, one that does not let us', async () => {
  const hosts = await site(1);
  hosts.controllerYaml({ nats: undefined });
  expect(await hosts.kick('nats', 'ping', 'web1')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/controller\.yaml names no servers/),
  });
  const edit = (config: string) => config.replace(/"kick\.v1\.up\.puppet[^"]*", /, '');
  const denying = await realSite(1, () => 'true', {
    nats: (parties: Parties) => startNats({ ...parties, edit }),
  });
  const denied = await denying.kick('nats', 'ping', 'web1', '--timeout', '20s');
  expect(denied.code).toBe(3);
  expect(denied.out).toMatch(/the broker does not let puppet\.example\.com publish on kick\.v1\.up/);
});
