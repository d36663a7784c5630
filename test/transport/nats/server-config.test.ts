/** The text of a server's configuration; that it is valid, test/interop/nats/config.test.ts asks nats-server. */
import { expect, test } from 'vitest';
import { natsServerConfig } from '../../../src/transport/nats/server-config.ts';

const tls = { certificate: '/c.pem', key: '/k.pem', ca: '/ca.pem' };

test('a host that is agent and controller is one user with what either may do; nobody else has more than their own', () => {
  const text = natsServerConfig({ tls, agents: ['web1.x', 'deploy.x', 'web1.x'], controllers: ['deploy.x'] });
  const users = [...text.matchAll(/\{user: "(.*)", permissions: (.*)\}/g)].map(([, name, rest]) => [
    name,
    rest,
  ]);
  expect(users.map(([name]) => name)).toEqual(['deploy.x', 'web1.x']);
  const [[, both = ''] = [], [, own = ''] = []] = users;
  for (const subject of ['kick.v1.dial.deploy~x.>', 'kick.v1.dial.*.deploy.x'])
    expect(both).toContain(`"${subject}"`);
  expect(own).not.toMatch(/>|deploy/);
});

test('notes are comments whatever is in them; a cluster is only there if it is named', () => {
  const text = natsServerConfig({ tls, agents: [], controllers: [], notes: ['a\nb: c\r\nd'] });
  expect(text).toContain('\n# a b: c d\n');
  expect(text).not.toContain('cluster {');
  expect(text).toContain('max_connections: 65536');
});

test('a server for more hosts than a server usually takes', () => {
  const agents = Array.from({ length: 70_000 }, (_, index) => `node${index}.example.com`);
  expect(natsServerConfig({ tls, agents, controllers: [] })).toContain('max_connections: 140000');
});
