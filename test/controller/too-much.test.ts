/** Names, masks, groups and files that are longer, deeper or more than any site has: an error that says so, at once, and never a full stack or memory. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseExpression } from '../../src/conditions/nodeset/expression.ts';
import { globTest } from '../../src/conditions/nodeset/mask.ts';
import { wordsIn } from '../../src/conditions/nodeset/words.ts';
import { isDeeperThan } from '../../src/config/yaml-depth.ts';
import { parseNodesFile, withoutComment } from '../../src/controller/targeting/nodes-file.ts';
import { withoutOddNames } from '../../src/controller/targeting/odd-names.ts';
import { inventoryOf } from '../support/inventory.ts';
import { choose, excluding, groupOf, namesOf } from './choosing.ts';

/** What a mask means, in words that take exponential time. */
function asPattern(mask: string): RegExp {
  return new RegExp(`^${mask.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`);
}

test('a mask fits what its pattern fits', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 12 });
  const masks = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*', '?'), maxLength: 8 });
  fc.assert(
    fc.property(masks, letters, (mask, name) => {
      expect(globTest(mask)(name)).toBe(asPattern(mask).test(name));
    }),
    { numRuns: 5000 },
  );
});

test('a mask of many stars is tried once, not in all ways', () => {
  const name = 'a'.repeat(253);
  expect(globTest(`${'*a'.repeat(100)}*b`)(name)).toBe(false);
  expect(globTest(`${'*?a'.repeat(80)}*b`)(name)).toBe(false);
  expect(globTest(`${'*a'.repeat(100)}*`)(name)).toBe(true);
});

test('groups inside each other need no stack, and are refused where they are too many', async () => {
  const chain = (length: number) => ({
    targets: ['a.b'],
    groups: Array.from({ length }, (_, at) => ({
      name: `g${at}`,
      nodes: at + 1 < length ? `@g${at + 1}` : 'a.b',
    })),
  });
  expect(await namesOf(['@g0'], {}, { inventory: chain(1000) })).toEqual(['a.b']);
  for (const length of [1001, 3000, 30_000]) {
    await expect(choose(['@g0'], {}, { inventory: chain(length) })).rejects.toMatchObject({
      code: 'inventory',
      message: expect.stringMatching(
        /^look up the group "g1000": there are more than 1000 groups inside each other: @g0 -> @g1 -> .* -> … -> .* -> @g1000$/,
      ),
    });
  }
});

test('a long circle of groups is named by its ends', async () => {
  const groups = Array.from({ length: 500 }, (_, at) => ({ name: `g${at}`, nodes: `@g${(at + 1) % 500}` }));
  await expect(choose(['@g0'], {}, { inventory: { groups } })).rejects.toThrow(
    /contains itself: @g0 -> @g1 -> .* -> … -> .* -> @g499 -> @g0$/,
  );
});

test('all names together are bounded, wherever they stand', async () => {
  const lines = (count: number) => Array.from({ length: count }, (_, at) => `web${at}-[1-200000]`);
  await expect(choose(lines(1000))).rejects.toThrow(
    /^read the hosts of argument 2: everything up to here means more than 250000 names, see column 1/,
  );
  await expect(choose(['a'], excluding('b[1-200000]', 'c[1-200000]'))).rejects.toThrow(/more than 250000/);
  const file = lines(1000).join('\n');
  expect(parseNodesFile(file, 'nodes.txt')).toHaveLength(1000);
  const printing = groupOf('echo "a[1-200000]"; echo "b[1-200000]"');
  await expect(choose(['@dmz'], {}, printing)).rejects.toThrow(/line 2 of what .* means more than 250000/);
});

test('groups and masks together are bounded', async () => {
  await expect(choose(['x*[1-10001]'])).rejects.toThrow(
    /"x\*\[1-10001\]" means more than 10000 groups or masks/,
  );
  await expect(choose([`@*${',@*'.repeat(10_000)}`])).rejects.toThrow(/more than 10000 groups or masks/);
});

test('the members of all groups together are bounded', async () => {
  const others = Array.from({ length: 20 }, (_, at) => ({ name: `g${at + 1}`, nodes: '@g0' }));
  const groups = [{ name: 'g0', nodes: 'web[1-100000]' }, ...others];
  await expect(choose(['@g[0-20]'], {}, { inventory: { groups } })).rejects.toThrow(
    'look up the group "g20": the groups up to here have more than 2000000 members',
  );
});

test('a file of nodes has as many lines as there may be names', () => {
  expect(parseNodesFile('a\n'.repeat(250_000), 'x')).toHaveLength(250_000);
  expect(() => parseNodesFile('a\n'.repeat(250_001), 'x')).toThrow(
    'read the list of nodes "x": it names more than 250000 hosts',
  );
  expect(parseNodesFile('\n'.repeat(10_000_000), 'x')).toEqual([{ text: '', origin: 'x' }]);
});

test.each<[string, string, RegExp]>([
  ['a name', 'a'.repeat(10_000_000), /"a{79}…" is longer than any name, see column 1/],
  ['a quoted name', `"${'a'.repeat(10_000_000)}"`, /"a{79}…" is not a certname, see column 1/],
  ['a quote that is not closed', `"${'\\a'.repeat(5_000_000)}`, /the quote is not closed, see column 1/],
  ['brackets that are not closed', '['.repeat(1_000_000), /the bracket is not closed, see column 1/],
  ['digits in front of a bracket', `${'1'.repeat(500_000)}[1-2]`, /a number is too long|longer than any/],
  ['digits behind a bracket', `a[${'1,'.repeat(1000)}1]${'0'.repeat(500_000)}`, /a number is too long/],
  ['digits that are none', `${'1'.repeat(500_000)}a[1]`, /longer than any name/],
  ['blanks in a range', `a[1-${' '.repeat(500_000)}x]`, /too long for a range/],
  ['many ranges', 'a[1]'.repeat(200_000), /longer than any name/],
  ['ranges of ranges', 'a[1-200000]'.repeat(1000), /means more than 250000 names/],
  ['the same range again and again', `a[1-100000${',1-100000'.repeat(10_000)}]`, /more than 250000 names/],
  ['a group', `@${'a'.repeat(10_000_000)}`, /longer than any name/],
  ['operators', '!'.repeat(1_000_000), /nothing before "!"/],
])('%s without end is an error that shows its beginning', (_what, text, message) => {
  let error: Error | undefined;
  try {
    parseExpression(text, 'argument 1');
  } catch (thrown) {
    error = thrown as Error;
  }
  expect(error).toMatchObject({ code: 'usage' });
  expect(error?.message).toMatch(message);
  expect(error?.message.length).toBeLessThan(500);
});

test('comments, quotes and brackets of any length are read in one pass', () => {
  const long = 10_000_000;
  expect(withoutComment(`"${'a'.repeat(long)}" # x`)).toHaveLength(long + 2);
  expect(withoutComment(`"a#b\\"#c" d# e"`)).toBe('"a#b\\"#c" d');
  expect(withoutComment('"a # b')).toBe('"a # b');
  expect(withoutOddNames('['.repeat(1_000_000)).odd).toEqual([]);
  expect(withoutOddNames('a/b c, web[1-2, 4] ..')).toEqual({ text: 'c,web[1-2, 4]', odd: ['a/b', '..'] });
  const text = ' a[1, 2],b!! [c';
  expect([...wordsIn(text, ',!')].map((one) => one.text).join('')).toBe(text);
  expect([...wordsIn(text, ',!')].filter((one) => one.isWord).map((one) => one.text)).toEqual([
    'a[1, 2]',
    'b',
    '[c',
  ]);
});

test('aliases that lead deeper than anybody writes are refused, shared parts and lists in themselves are not', async () => {
  const levels = (count: number) =>
    Array.from({ length: count }, (_, at) => `f${at + 1}: &f${at + 1} {a: {b: [*f${at}]}}\n`).join('');
  const document = (count: number) =>
    `targets: [{name: a.b, facts: &f0 {x: 1}}]\n${levels(count)}facts: *f${count}\n`;
  await expect(inventoryOf(document(90))).rejects.toThrow(
    /inventory\.yaml": its aliases lead deeper than 100 lists and mappings/,
  );
  expect((await inventoryOf(document(20))).hosts.size).toBe(1);
  await expect(inventoryOf('facts: &f {a: *f, b: *f}\ntargets: [a.b]\n')).rejects.toThrow(
    /recursive alias "f"/,
  );
  expect((await inventoryOf('facts: {a: &f [*f, *f]}\ntargets: [a.b]\n')).hosts.size).toBe(1);
  const nested = (depth: number) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) as unknown;
  expect(isDeeperThan(nested(100), 100)).toBe(false);
  expect(isDeeperThan(nested(101), 100)).toBe(true);
  expect(isDeeperThan(nested(100_000), 100)).toBe(true);
  // Found first where it is shallow, then deep below.
  const shared = nested(60);
  expect(isDeeperThan([shared, Array.from({ length: 1 }, () => [[[shared]]])], 65)).toBe(false);
  expect(isDeeperThan([shared, Array.from({ length: 1 }, () => [[[shared]]])], 64)).toBe(true);
});

test('an inventory of an odd version says which', async () => {
  await expect(inventoryOf('version: {toString: 1}')).rejects.toThrow(
    /only Bolt's version 2 is understood, not \{"toString":1\}/,
  );
});
