/** Where a target's agent is: whose port a uri names, and which targets have no agent at all. */
import { expect, test } from 'vitest';
import { parseUri, withoutUser } from '../../src/controller/targeting/address.ts';
import { readBoltInventory } from '../../src/controller/targeting/bolt/reader.ts';

function read(document: unknown) {
  const { inventory, problems, warnings } = readBoltInventory(document);
  expect(problems).toEqual([]);
  return { ...inventory, warnings };
}

const SSH = { transport: 'ssh' };

test.each<[string, unknown, object | undefined]>([
  ['ours without any config', { targets: ['10.0.0.7:8139'] }, { host: '10.0.0.7', port: 8139 }],
  [
    'ours in a file for a transport without a port',
    { config: { transport: 'pcp' }, targets: ['h:1'] },
    { host: 'h', port: 1 },
  ],
  ['ours by its scheme', { config: SSH, targets: ['kick://h:9000'] }, { host: 'h', port: 9000 }],
  ["ssh's by the file", { config: SSH, targets: ['h:22'] }, { host: 'h' }],
  [
    "winrm's by a group",
    { groups: [{ name: 'g', config: { transport: 'winrm' }, targets: ['h:5985'] }] },
    { host: 'h' },
  ],
  ["ssh's by the target", { targets: [{ uri: 'h:22', config: SSH }] }, { host: 'h' }],
  ["Bolt's default, ssh's", { config: { ssh: { user: 'root' } }, targets: ['h:22'] }, { host: 'h' }],
  ["ssh's by its scheme", { targets: ['ssh://root:pw@h:22'] }, { host: 'h' }],
  ["nobody's", { targets: ['https://h:443'] }, { host: 'h' }],
  [
    "another group's config does not count",
    { groups: [{ name: 'g', config: SSH, targets: ['x'] }], targets: ['h:1'] },
    { host: 'h', port: 1 },
  ],
  [
    'the target beats its groups',
    { config: SSH, targets: [{ uri: '[::1]:1', name: 'h', config: { transport: 'kick' } }] },
    { host: '::1', port: 1 },
  ],
  [
    "the host of Bolt's config",
    { targets: [{ name: 'h', config: { ssh: { host: '10.0.0.7', port: 2222 } } }] },
    { host: '10.0.0.7' },
  ],
  [
    'that of another transport',
    { targets: [{ name: 'h', config: { ...SSH, winrm: { host: 'x' } } }] },
    undefined,
  ],
])('the port is %s', (_what, document, address) => {
  const [host] = [...read(document).hosts.values()].filter(({ certname }) => certname !== 'x');
  expect(host?.address).toEqual(address);
});

test('a port that is not ours is told with its owner, without a password', () => {
  const { hosts } = read({ config: SSH, targets: ['root:secret@h:22', 'ssh://[::1]:2222'] });
  expect(hosts.get('h')?.otherPort).toBe("that of h:22 is ssh's");
  expect(withoutUser('ssh://root:se@cret@h:22')).toBe('ssh://h:22');
});

test('targets without an agent are left out, told together, and are no hosts of any group', () => {
  const { hosts, groups, aliases, leftOut, warnings } = read({
    targets: [
      'web1',
      'localhost',
      'docker://web1',
      'local://',
      { name: 'dev', uri: 'remote://x', alias: 'd' },
    ],
    groups: [
      {
        name: 'boxes',
        config: { transport: 'docker' },
        targets: ['c1', 'c2', { name: 'web2', config: SSH }],
      },
      { name: 'more', targets: ['c1', { name: 'h', config: { transport: 'remote' } }] },
    ],
  });
  expect([...hosts.keys()].sort()).toEqual(['web1', 'web2']);
  expect(groups.get('boxes')?.hosts).toEqual(['web2']);
  expect([...aliases]).toEqual([]);
  expect([...leftOut].sort()).toEqual(['c1', 'c2', 'dev', 'docker://web1', 'h', 'local://', 'localhost']);
  expect(warnings.map(({ message, subjects }) => [message, subjects])).toEqual(
    expect.arrayContaining([
      [
        'not a host with an agent (Bolt\'s transport "docker"): left out unless named',
        ['docker://web1', 'c1', 'c2'],
      ],
      [
        'not a host with an agent (Bolt\'s transport "local"): left out unless named',
        ['local://', 'localhost'],
      ],
      ['not a host with an agent (Bolt\'s transport "remote"): left out unless named', ['dev', 'h']],
    ]),
  );
});

test('a device that is called by its URL is left out too, and its password is not told', () => {
  const name = 'https://user:secret@firewall.example.com';
  const { leftOut, warnings, hosts } = read({
    targets: [{ name, config: { transport: 'remote' } }],
    groups: [
      { name: 'g', config: { transport: 'remote' }, targets: [{ name: 'http://b' }, { uri: 'https://c:1' }] },
    ],
  });
  expect(hosts.size).toBe(0);
  expect(leftOut).toEqual(['https://firewall.example.com', 'http://b', 'c']);
  expect(warnings.map(({ message }) => message)).toEqual([
    'not a host with an agent (Bolt\'s transport "remote"): left out unless named',
  ]);
});

test("localhost is Bolt's own machine, unless the target itself says otherwise", () => {
  expect([...read({ config: SSH, targets: 'localhost' }).hosts.keys()]).toEqual([]);
  expect([...read({ targets: [{ name: 'localhost', config: SSH }] }).hosts.keys()]).toEqual(['localhost']);
  expect(read({ targets: ['kick://localhost:9'] }).hosts.get('localhost')?.address).toEqual({
    host: 'localhost',
    port: 9,
  });
});

test('parseUri reads hosts, ports and schemes', () => {
  expect(parseUri('10.0.0.7:9000')).toEqual({ host: '10.0.0.7', port: 9000 });
  expect(parseUri('[::1]:1')).toEqual({ host: '::1', port: 1 });
  expect(parseUri('KICK://me@web1:8140/')).toEqual({ scheme: 'kick', host: 'web1', port: 8140 });
  expect(parseUri('a:p@w@h:1')).toEqual({ host: 'h', port: 1 });
  expect(parseUri('local://')).toEqual({ scheme: 'local', host: '' });
  expect(parseUri('http://a/b')).toEqual({ scheme: 'http', host: 'a' });
  for (const text of ['a b', 'a:0', 'a:65536', '10.0.0.0/24', '::1', '[1]', 'h?x', 'a:b'])
    expect(parseUri(text)).toBeUndefined();
});
