/** What Bolt makes of data in several places: each value here is what Bolt 3's own code gave. */
import { expect, test } from 'vitest';
import { deepMerge } from '../../src/controller/targeting/bolt/merge.ts';
import { readBoltInventory } from '../../src/controller/targeting/bolt/reader.ts';

function hostsOf(document: unknown) {
  const { inventory, problems } = readBoltInventory(document);
  expect(problems).toEqual([]);
  return inventory.hosts;
}

const factsOf = (document: unknown) =>
  Object.fromEntries([...hostsOf(document).values()].map(({ certname, facts }) => [certname, facts]));

test.each<[string, object, object]>([
  [
    'a mapping in a mapping is merged',
    {
      facts: { os: { family: 'Debian', name: '?' } },
      targets: [{ name: 'web1', facts: { os: { name: 'Ubuntu' } } }, 'web2'],
    },
    { web1: { os: { family: 'Debian', name: 'Ubuntu' } }, web2: { os: { family: 'Debian', name: '?' } } },
  ],
  [
    'what a group says itself beats what another has from further out',
    {
      facts: { tier: 'silver' },
      groups: [
        { name: 'web', targets: ['web1'] },
        { name: 'vip', facts: { tier: 'gold' }, targets: ['web1'] },
      ],
    },
    { web1: { tier: 'gold' } },
  ],
  [
    'a group beats the whole inventory, though that lists the target itself',
    {
      facts: { env: 'dev' },
      targets: ['db1'],
      groups: [{ name: 'prod', facts: { env: 'prod' }, targets: ['db1'] }],
    },
    { db1: { env: 'prod' } },
  ],
  [
    'of two groups the earlier wins, and both count',
    {
      groups: [
        { name: 'a', facts: { x: 1 }, targets: ['h'] },
        { name: 'b', facts: { x: 2, y: 2 }, targets: ['h'] },
      ],
    },
    { h: { x: 1, y: 2 } },
  ],
  [
    'a target itself beats all groups, wherever it is defined',
    {
      groups: [
        { name: 'a', targets: [{ name: 'h', facts: { x: 't' } }] },
        { name: 'b', facts: { x: 'b' }, groups: [{ name: 'c', facts: { x: 'c', z: 1 }, targets: ['h'] }] },
      ],
    },
    { h: { x: 't', z: 1 } },
  ],
  [
    'of two definitions the inner wins',
    {
      targets: [{ name: 'h', facts: { x: 'outer', o: 1 } }],
      groups: [{ name: 'a', targets: [{ name: 'h', facts: { x: 'inner' } }] }],
    },
    { h: { x: 'inner', o: 1 } },
  ],
  [
    'text, a list and nothing replace a mapping',
    {
      facts: { os: { family: 'Debian' }, roles: [1, 2], gone: { a: 1 } },
      targets: [{ name: 'h', facts: { os: 'none', roles: [3], gone: null } }],
    },
    { h: { os: 'none', roles: [3], gone: null } },
  ],
  [
    'of a target twice in one list the first holds',
    {
      targets: [
        { name: 'h', facts: { a: 1 } },
        { name: 'h', facts: { b: 1 } },
      ],
    },
    { h: { a: 1 } },
  ],
  [
    'a bare name in the same list replaces what it says',
    { targets: [{ name: 'h', facts: { a: 1 } }, 'h'] },
    { h: {} },
  ],
  [
    'an alias is its target',
    { targets: [{ name: 'h', alias: ['w', 'v'] }], groups: [{ name: 'a', facts: { x: 1 }, targets: ['w'] }] },
    { h: { x: 1 } },
  ],
])('%s', (_what, document, facts) => {
  expect(factsOf(document)).toEqual(facts);
});

test('of several uris that of the outer group holds, else that of the later', () => {
  const two = {
    groups: ['a', 'b'].map((name) => ({ name, targets: [{ name: 'h', uri: `${name}.example.com` }] })),
  };
  expect(hostsOf(two).get('h')?.address).toEqual({ host: 'b.example.com' });
  const outer = { ...two, targets: [{ name: 'h', uri: 'o.example.com' }] };
  expect(hostsOf(outer).get('h')?.address).toEqual({ host: 'o.example.com' });
});

test('deepMerge neither follows endless mappings for ever nor takes __proto__ for a prototype', () => {
  const under: Record<string, unknown> = { a: 1 };
  const over: Record<string, unknown> = { b: 2 };
  under['self'] = under;
  over['self'] = over;
  let merged: unknown = deepMerge(under, over);
  for (let depth = 0; depth < 20; depth++) {
    expect(merged).toMatchObject({ a: 1, b: 2 });
    merged = (merged as Record<string, unknown>)['self'];
  }
  const strange = deepMerge({ x: 1 }, JSON.parse('{"__proto__": {"polluted": true}}'));
  expect(Object.keys(strange)).toEqual(['x', '__proto__']);
  expect('polluted' in strange).toBe(false);
});

test('facts whose aliases mean very many values are merged soon', () => {
  const bomb = () => {
    let level: object = { a: 1 };
    for (let i = 0; i < 40; i++) level = { a: level, b: level, c: level };
    return level;
  };
  const document = { facts: { x: bomb() }, targets: [{ name: 'h', facts: { x: bomb() } }] };
  expect(Object.keys(factsOf(document)['h'] ?? {})).toEqual(['x']);
});
