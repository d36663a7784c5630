import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readYamlFile } from '../../src/config/yaml-file.ts';
import { InventorySchema, parseAddress } from '../../src/controller/inventory.ts';
import { isInInventory, parseNodesFile, resolveTargets } from '../../src/controller/targeting.ts';
import { tempFolder } from '../support/temp.ts';

async function inventoryOf(yaml: string) {
  const path = join(tempFolder(), 'inventory.yaml');
  writeFileSync(path, yaml);
  const found = await readYamlFile(path, InventorySchema, { what: 'inventory', code: 'inventory' });
  if (found === undefined) throw new Error('no inventory');
  return found;
}

const none = { targets: [] };

test('a name is that of the inventory first, then gets the domain', async () => {
  const inventory = await inventoryOf(
    'targets:\n  - {name: db1.elsewhere.org, alias: [db, db1], uri: "10.0.0.7:9000"}\n  - {name: web1.example.com, uri: "10.0.0.8"}\n',
  );
  const options = { inventory, domain: 'example.com', port: 8139 };
  expect(resolveTargets(['db', 'DB1', 'web1', 'web2', 'a.b'], options)).toEqual([
    { certname: 'db1.elsewhere.org', host: '10.0.0.7', port: 9000 },
    { certname: 'web1.example.com', host: '10.0.0.8', port: 8139 },
    { certname: 'web2.example.com', host: 'web2.example.com', port: 8139 },
    { certname: 'a.b', host: 'a.b', port: 8139 },
  ]);
  expect(isInInventory('web1', inventory)).toBe(true);
  expect(isInInventory('web', inventory)).toBe(false);
});

test('resolveTargets gives each host once, in the order of its first mention', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/);
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 30 }), (names) => {
      const mixed = names.map((one, index) => (index % 2 === 0 ? one : `${one.toUpperCase()}.x.org.`));
      const found = resolveTargets(mixed, { inventory: none, domain: 'x.org', port: 1 });
      expect(found.map(({ certname }) => certname)).toEqual([...new Set(names.map((one) => `${one}.x.org`))]);
    }),
  );
});

test('an inventory that names two hosts alike is refused, with the line of the second', async () => {
  await expect(
    inventoryOf('targets:\n  - {name: a, alias: x}\n  - b\n  - {name: c, alias: x}\n'),
  ).rejects.toThrow(/inventory.yaml:4: targets.2: one of its names \(c, x\) is another host's above/);
});

test('a YAML file with aliases, or with more than one document, is refused', async () => {
  await expect(inventoryOf('targets: &a [x]\nmore: *a\n')).rejects.toThrow(/aliases/);
  await expect(inventoryOf('targets: []\n---\ntargets: []\n')).rejects.toThrow(/more than one document/);
});

test('parseNodesFile takes one name a line, and comments', () => {
  expect(parseNodesFile('# all\r\nweb1 # one\n\n  web2  \n', 'f')).toEqual(['web1', 'web2']);
  expect(() => parseNodesFile('ok\na b\n', 'f')).toThrow(/f:2: not a certname: "a b"/);
});

test.each([
  ['host', { host: 'host' }],
  ['10.0.0.1:99', { host: '10.0.0.1', port: 99 }],
  ['[::1]:99', { host: '::1', port: 99 }],
  ['host:0', undefined],
  ['host:65536', undefined],
  ['a b', undefined],
  ['', undefined],
])('parseAddress reads %j', (text, address) => {
  expect(parseAddress(text)).toEqual(address);
});
