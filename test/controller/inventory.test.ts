/** inventory.yaml as a Bolt user has it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readInventoryFiles } from '../../src/config/inventory-file.ts';
import { parseAddress } from '../../src/controller/address.ts';
import { isInInventory } from '../../src/controller/inventory.ts';
import { tempFolder } from '../support/temp.ts';

async function inventoryOf(yaml: string, groups?: unknown) {
  const path = join(tempFolder(), 'inventory.yaml');
  writeFileSync(path, yaml);
  return readInventoryFiles({ path, groups, groupsPath: 'controller.yaml' });
}

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
  - b b
  - {name: c, alias: x}
  - {name: d, uri: "10.0.0.1:99999", colour: red}
groups:
  - name: one
    targets: [a]
  - name: one
  - name: "a b"
  - targets: []
  - {name: two, nodes: [a], concurrency: 0}
  - {name: three, command: ls}
  - {name: four, targets: {_plugin: aws}}
`;
  const problems = [
    ['4', 'targets.2.alias: "x" is a name of a above'],
    ['5', 'targets.3.uri: not an address'],
    ['5', 'targets.3.colour: not known here'],
    ['9', 'groups.1.name: there is another group "one" above'],
    ['10', 'groups.2: "a b" cannot be'],
    ['11', 'groups.3: a group is a mapping with a name'],
    ['12', 'groups.4.concurrency: not a whole number'],
    ['12', 'groups.4.nodes: not an expression'],
    ['13', 'groups.5.command: not a list'],
    ['14', 'groups.6.targets: plugin "aws"'],
    ['3', 'targets.1: "b b" is neither'],
  ];
  const error: Error = await inventoryOf(yaml).then(
    () => expect.unreachable(),
    (thrown: Error) => thrown,
  );
  for (const [line, text] of problems) expect(error.message).toContain(`inventory.yaml:${line}: ${text}`);
  expect(error.message.split('\n')).toHaveLength(problems.length + 1);
});

test("Bolt's version 1 and groups that are in both files are refused", async () => {
  await expect(inventoryOf('version: 1')).rejects.toThrow(/version: only Bolt's version 2/);
  await expect(inventoryOf('groups: [{name: dmz}]', { dmz: { nodes: 'a' } })).rejects.toThrow(
    /"dmz" is in both/,
  );
  await expect(inventoryOf('', { dmz: { nodes: ['a'] } })).rejects.toThrow(
    /controller.yaml: groups.dmz.nodes/,
  );
});

test('a file whose aliases mean very many targets is refused, soon', async () => {
  const levels = Array.from({ length: 7 }, (_, i) => {
    const inner =
      i === 0
        ? 'targets: [x1, x2]'
        : `groups: [${Array(9)
            .fill(`{<<: *l${i - 1}}`)
            .join(', ')}]`;
    return `l${i}: &l${i} {name: g, ${inner}}`;
  });
  await expect(inventoryOf(levels.join('\n'))).rejects.toMatchObject({ code: 'inventory' });
});

test('parseAddress tells hosts, ports of ours, and what is no machine', () => {
  expect(parseAddress('10.0.0.7:9000')).toEqual({ host: '10.0.0.7', port: 9000 });
  expect(parseAddress('[::1]:1')).toEqual({ host: '::1', port: 1 });
  expect(parseAddress('kick://web1:8140')).toEqual({ host: 'web1', port: 8140 });
  expect(parseAddress('ssh://me@web1:22')).toEqual({ host: 'web1' });
  expect(parseAddress('lxd://c1')).toBe('not-a-host');
  for (const text of ['', 'a b', 'a:0', 'a:65536', 'http://a/b', '::1'])
    expect(parseAddress(text)).toBeUndefined();
});
