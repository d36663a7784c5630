/** --discover on the command line, with real agents at a real broker. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startNats } from '../../support/nats-server.ts';
import { realSite } from '../../support/real-site.ts';

const site = (count: number) => realSite(count, () => 'echo begin >> $JOURNAL', { nats: startNats });
/** Of no agent. */
const ABSENT = { targets: [{ name: 'gone.example.com', via: 'nats' }] };

test('kick --discover runs whoever answers, and says how long that took and who is silent', async () => {
  const hosts = await site(3);
  const { code, out } = await hosts.kick('--discover');
  expect(out).toMatch(/Discovery: \S+ \(3 of 3 expected\)/);
  expect(code).toBe(0);
  hosts.inventory(ABSENT);
  const fewer = await hosts.kick('--discover', '--exclude', 'web3');
  expect(fewer.out).toMatch(/Discovery: \S+ \(2 of 3 expected\)/);
  expect(fewer.out).toMatch(/Silent: 1 \(gone\.example\.com\)/);
  expect(fewer.err).toMatch(/gone\.example\.com.*silent: its agent is not connected to the broker/s);
  expect(fewer.code).toBe(3);
  expect(hosts.names.map((name) => hosts.journal(name).length)).toEqual([2, 2, 1]);
});

test('who is not in the inventory is found as well, and reached where it answered', async () => {
  const hosts = await site(2);
  writeFileSync(join(hosts.folder, 'etc', 'inventory.yaml'), '{}');
  // How many there are nobody knows: one that is slow could come after the others were quiet.
  const patient = ['--discovery-timeout', '3s'];
  const { code, out } = await hosts.kick('nodes', '--discover', ...patient, '--explain');
  expect(out).toMatch(/in {3}web1\.example\.com {2}--discover; through NATS/);
  expect(code).toBe(0);
  expect((await hosts.kick('nodes', '--discover', ...patient, 'web2*')).out).toBe('web2.example.com\n');
  expect((await hosts.kick('--discover')).out).toMatch(/Discovery: \S+\n/);
});

test('conditions are judged by the agents: what they cannot judge is not chosen, and said', async () => {
  const hosts = await site(2);
  const last = await hosts.kick('nodes', '--discover', '--last', 'unchanged', '--format', 'json');
  expect(last).toMatchObject({
    code: 2,
    err: expect.stringMatching(/nobody is left: 2 hosts not in --last unchanged/),
  });
  const facts = await hosts.kick('nodes', '--discover', '--fact', 'os.family=Debian');
  expect(facts).toMatchObject({ code: 3, out: '', err: expect.stringMatching(/its runner is not Puppet/) });
});

test('named hosts that are silent are told, and nobody is asked without a broker', async () => {
  const hosts = await site(1);
  const named = await hosts.kick('nodes', '--discover', 'web1', 'web7.example.com', '--format', 'json');
  expect(JSON.parse(named.out)).toMatchObject({
    nodes: [{ certname: 'web1.example.com' }],
    discovery: { expected: { hosts: 2, answered: 1 }, silent: ['web7.example.com'], ignored: 0 },
  });
  hosts.controllerYaml({ nats: undefined });
  expect(await hosts.kick('--discover')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/names no servers of NATS/),
  });
  expect(await hosts.kick('--all', '--discovery-timeout', '1s')).toMatchObject({ code: 2 });
});

test('kick discover lists who answers', async () => {
  const hosts = await site(2);
  const { out, err, code } = await hosts.kick('discover');
  expect(out).toBe('web1.example.com\nweb2.example.com\n');
  expect(err).toMatch(/^Discovery: \S+ \(2 of 2 expected\)$/m);
  expect(code).toBe(0);
  const json = await hosts.kick('discover', 'web2', '--format', 'json', '--discovery-timeout', '2s');
  expect(JSON.parse(json.out)).toMatchObject({
    ...{
      count: 1,
      hosts: ['web2.example.com'],
      expected: { hosts: 1, answered: 1 },
      silent: [],
      unanswered: [],
    },
  });
});
