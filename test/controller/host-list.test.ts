/** Hosts in a sentence: what is shown means the hosts that it stands for, and the rest are counted. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluate } from '../../src/conditions/nodeset/evaluate.ts';
import { parseExpression } from '../../src/conditions/nodeset/expression.ts';
import { hostList } from '../../src/conditions/nodeset/host-list.ts';
import { isCertname } from '../../src/protocol/names.ts';

const scope = {
  host: (name: string) => name,
  group: () => Promise.reject(new Error('no group')),
  matching: () => Promise.reject(new Error('no mask')),
};

async function unfolded(text: string): Promise<{ hosts: Set<string>; more: number }> {
  const [, shown = '', more = '0'] = /^(.*?)(?: and (\d+) more)?$/.exec(text) ?? [];
  return { hosts: await evaluate(parseExpression(shown, 'the test'), scope), more: Number(more) };
}

/** Of names with these numbers. */
const named = (numbers: readonly number[], digits = 0) =>
  numbers.map((number) => `host${String(number).padStart(digits, '0')}.fleet.example`);
const upTo = (count: number) => [...Array(count).keys()];

test.each<[string, readonly string[], string]>([
  ['nobody', [], ''],
  ['one', ['db1.x'], 'db1.x'],
  ['a range', named([...upTo(10), 12], 5), 'host[00000-00009,00012].fleet.example'],
  ['names that do not fold', ['b', 'a'], 'a, b'],
  ['two numbers', ['r1n1', 'r1n2', 'r2n1', 'r2n2'], 'r[1-2]n[1-2]'],
  ['an odd name', ['web1', 'web2', 'a, b'], 'web[1-2], "a, b"'],
  ['many thousands that fold', named(upTo(50_000), 5), 'host[00000-49999].fleet.example'],
  [
    'scattered numbers, cut within the brackets',
    named(upTo(500).map((n) => 2 * n)),
    'host[0,2,4,6,8,10,12,14,16,18,20,22,24,26,28,30,32,34,36,38].fleet.example and 480 more',
  ],
])('hostList of %s', (_what, names, expected) => {
  expect(hostList(names)).toBe(expected);
});

test('hostList shows twenty names that do not fold, and counts the others', () => {
  const letters = [...'abcdefghijklmnopqrstuvwxyz'];
  expect(hostList(letters.slice(0, 20))).toBe(letters.slice(0, 20).join(', '));
  expect(hostList(letters.slice(0, 21))).toBe(`${letters.slice(0, 20).join(', ')} and 1 more`);
  expect(hostList(letters, { most: 2 })).toBe('a, b and 24 more');
});

test('what hostList shows means hosts of the list, each once, and none is missing from the sum', async () => {
  const anything = fc.stringMatching(/^[ -.0-@[-~]{1,12}$/).filter(isCertname);
  const numbered = fc
    .tuple(fc.constantFrom('web', 'r1n', 'db-', ''), fc.nat(300), fc.constantFrom('', '.x', 'n07'))
    .map((parts) => parts.join(''));
  const lists = fc.uniqueArray(fc.oneof({ arbitrary: numbered, weight: 4 }, anything), { maxLength: 120 });
  await fc.assert(
    fc.asyncProperty(lists, fc.integer({ min: 1, max: 30 }), async (names, most) => {
      const { hosts, more } = await unfolded(hostList(names, { most }));
      for (const host of hosts) expect(names).toContain(host);
      expect(hosts.size + more).toBe(names.length);
      if (names.length <= most) expect(more).toBe(0);
    }),
  );
});
