/** inventory.yaml as a Bolt user has it. */
import { expect, test } from 'vitest';
import { isInInventory } from '../../src/controller/targeting/inventory.ts';
import { inventoryOf } from '../support/inventory.ts';

/** After the example of Bolt's documentation, with what it knows and we do not. */
const BOLT = `
version: 2
groups:
  - name: webservers
    targets:
      - 192.168.100.179
      - name: web2.example.com
        uri: ssh://root@192.168.100.180:2222
        alias: [web2, www]
        vars: {note: x}
    groups:
      - name: memcached
        targets: [192.168.101.50, www]
        config: {ssh: {user: root}}
        facts: {role: cache}
    facts: {role: web, dc: {name: east}}
    config: {transport: ssh, ssh: {host-key-check: false}}
  - name: win_nodes
    targets:
      - uri: winrm://172.16.219.20:5986
        features: [powershell]
      - docker://builder
    plugin_hooks: {puppet_library: {plugin: puppet_agent}}
config: {ssh: {native-ssh: true}}
vars: {site: here}
`;

test("a Bolt user's file works as it is", async () => {
  const { hosts, aliases, groups, leftOut } = await inventoryOf(BOLT);
  expect([...hosts.keys()].sort()).toEqual([
    '172.16.219.20',
    '192.168.100.179',
    '192.168.101.50',
    'web2.example.com',
  ]);
  // The port is ssh's, not ours.
  expect(hosts.get('web2.example.com')?.address).toEqual({ host: '192.168.100.180' });
  expect(aliases.get('www')).toBe('web2.example.com');
  expect([...(groups.get('memcached')?.hosts ?? [])]).toEqual(['192.168.101.50', 'web2.example.com']);
  expect(groups.get('webservers')?.children).toEqual(['memcached']);
  expect(hosts.get('192.168.101.50')?.facts).toEqual({ role: 'cache', dc: { name: 'east' } });
  expect(leftOut).toEqual(['docker://builder']);
});

test('isInInventory knows names, aliases and names without their domain', async () => {
  const inventory = await inventoryOf('targets: [{name: web1.example.com, alias: w}]');
  expect(['web1.example.com', 'w', 'web1'].map((name) => isInInventory(name, inventory))).toEqual([
    true,
    true,
    true,
  ]);
  expect(isInInventory('web', inventory)).toBe(false);
});

test('every problem of an inventory is told with file, line and path', async () => {
  const yaml = `targets:
  - {name: a, alias: x}
  - 7
  - {name: c, alias: x}
  - {name: d, facts: red}
groups:
  - name: one
    targets: [a]
  - name: one
  - name: "a b"
  - targets: []
  - {name: two, nodes: [a], concurrency: 0}
  - {name: three, command: ls}
  - {name: four, targets: {web1: x}}
`;
  const problems = [
    ['4', 'targets.2.alias: "x" is a name of a above'],
    ['3', 'targets.1: neither a name (as text) nor a mapping'],
    ['5', 'targets.3.facts: not a mapping'],
    ['9', 'groups.1.name: there is another group "one" above'],
    ['10', 'groups.2.name: "a b" cannot be'],
    ['11', 'groups.3: a group is a mapping like'],
    ['12', 'groups.4.concurrency: not a whole number'],
    ['12', 'groups.4.nodes: not an expression'],
    ['13', 'groups.5.command: not a list'],
    ['14', 'groups.6.targets: not a list'],
  ];
  const error: Error = await inventoryOf(yaml).then(
    () => expect.unreachable(),
    (thrown: Error) => thrown,
  );
  for (const [line, text] of problems) expect(error.message).toContain(`inventory.yaml:${line}: ${text}`);
  expect(error.message.split('\n')).toHaveLength(problems.length + 1);
});

test('groups of controller.yaml are told with its lines, and one that is in both files is refused', async () => {
  await expect(inventoryOf('groups: [{name: dmz}]', { dmz: { nodes: 'a' } })).rejects.toThrow(
    /"dmz" is in both/,
  );
  await expect(inventoryOf('', { dmz: { nodes: ['a'] } })).rejects.toThrow(
    /controller.yaml:1: groups.dmz.nodes: not an expression/,
  );
  const { groups, warnings } = await inventoryOf('', { dmz: { targets: [{ name: 'a', uri: 'b:1' }] } });
  expect(groups.get('dmz')?.hosts).toEqual(['a']);
  expect(warnings.map(({ text }) => text.replace(/^.*\//, ''))).toEqual([
    'controller.yaml:1: groups.dmz: facts, config, uri and via are only read from inventory.yaml: ignored',
  ]);
});

test('a file whose aliases mean very many groups and targets is refused, soon', async () => {
  const levels = Array.from({ length: 9 }, (_, i) => {
    const inner =
      i === 0
        ? 'targets: [x1, x2]'
        : `groups: [${Array(9)
            .fill(`*l${i - 1}`)
            .join(', ')}]`;
    return `l${i}: &l${i} {name: g${i}, ${inner}}`;
  });
  const yaml = `vars: {${levels.join(', ')}}\ngroups: [*l8]\n`;
  await expect(inventoryOf(yaml)).rejects.toThrow(/there is another group "g0" above/);
});

test('via of a target beats that of its groups, and that beats the whole inventory', async () => {
  const { hosts, via } = await inventoryOf(`
via: auto
targets: [plain.example.com]
groups:
  - name: dmz
    via: nats
    targets: [dmz1.example.com, {name: dmz2.example.com, via: direct}]
`);
  expect(via).toBe('auto');
  expect(hosts.get('plain.example.com')?.via).toBeUndefined();
  expect(hosts.get('dmz1.example.com')?.via).toBe('nats');
  expect(hosts.get('dmz2.example.com')?.via).toBe('direct');
});

test('via is one of three words', async () => {
  await expect(inventoryOf('via: pigeon')).rejects.toThrow(/via: not one of direct, nats, auto/);
});
