/** Conditions on facts, judged alike wherever the facts come from; against a real PuppetDB: test/puppet/puppetdb.test.ts. */
import { expect, test } from 'vitest';
import { parseFactCondition } from '../../src/conditions/fact-condition.ts';
import { textsThatFit } from '../../src/conditions/fact-patterns.ts';
import { factValuesOf } from '../support/fact-values.ts';
import { choose, databaseOf, namesOf, warnings } from './choosing.ts';
import { CASES, FACTS } from './fact-cases.ts';

const inventory = { targets: Object.entries(FACTS).map(([name, facts]) => ({ name, facts })) };

test.each(CASES)('--fact %s holds of "%s", by inventory and by PuppetDB', async (text, names) => {
  const facts = [parseFactCondition(text)];
  const wanted = names === '' ? [] : names.split(' ').map((name) => `${name}.x`);
  const sources = databaseOf({
    factValues: factValuesOf(FACTS),
    active: async () => Object.keys(FACTS),
  });
  for (const options of [{ inventory }, { inventory: {}, sources }]) {
    for (const named of [[], ['a.x,b.x,c.x,d.x']]) {
      const found = namesOf(named, { facts }, options);
      if (wanted.length > 0) expect(await found).toEqual(wanted);
      else await expect(found).rejects.toThrow(/nobody is left/);
    }
  }
});

test('what cannot be compared is not chosen, and is told; a host that is out anyway is not', async () => {
  const facts = ['os.family=Debian', 'os.release.major<13'].map(parseFactCondition);
  const chosen = await choose([], { facts }, { inventory });
  expect(chosen.targets.map(({ certname }) => certname)).toEqual(['a.x']);
  expect(warnings).toEqual([
    '--fact os.release.major<13: cannot be compared on 1 host, left out: c.x ("trixie/sid")',
  ]);
  const explained = await choose(['a.x,c.x'], { facts }, { inventory });
  expect(explained.explained().at(-1)?.because.at(-1)).toBe(
    '--fact os.release.major<13: "trixie/sid" cannot be compared',
  );
  await choose([], { facts: ['cpus>1', 'virtual=true'].map(parseFactCondition) }, { inventory });
  expect(warnings).toEqual([]);
});

test('a fact that no host has is told: with != a typing error would choose everybody', async () => {
  await choose([], { facts: [parseFactCondition('os.famliy!=Debian')] }, { inventory });
  expect(warnings).toEqual(['--fact os.famliy!=Debian: no host has this fact']);
});

test('a host that is not known to PuppetDB is not judged, and not chosen', async () => {
  const sources = databaseOf({ factValues: factValuesOf(FACTS), active: async () => ['a.x', 'e.x'] });
  const facts = [parseFactCondition('no.such!=x')];
  // Of e.x PuppetDB knows no facts, of f.x nothing.
  expect(await namesOf(['a.x,e.x,f.x'], { facts }, { sources, inventory: {} })).toEqual(['a.x', 'e.x']);
});

test.each([
  ['os.family=', 11, 'a value is missing'],
  ['os.family!=', 12, 'a value is missing'],
  ['os.family~', 11, 'a value is missing'],
  ['os.family = ', 13, 'a value is missing'],
  ['os.family!==x', 12, 'is not a comparison'],
  ['os.release.major<jammy', 18, '"jammy" is neither a number nor a version'],
  ['os.release.major>=', 19, 'a value is missing'],
])('--fact %s is refused at column %i', (text, column, why) => {
  expect(() => parseFactCondition(text)).toThrow(why);
  expect(() => parseFactCondition(text)).toThrow(`see column ${column}\n`);
});

test('a regular expression that takes exponential time is an error, and so is one that V8 refuses', async () => {
  const slow = { targets: [{ name: 'a.x', facts: { os: `${'a'.repeat(60)}b` } }] };
  const condition = parseFactCondition('os~^(a+)+$');
  expect(() => textsThatFit(condition, new Set([`${'a'.repeat(60)}b`]), { ms: 200 })).toThrow(
    '--fact os~^(a+)+$: try the regular expression: it takes more than 0.2 s on 1 values',
  );
  await expect(choose([], { facts: [condition] }, { inventory: slow })).rejects.toMatchObject({
    code: 'usage',
    hint: expect.stringContaining('(a+)+'),
  });
  const deep = parseFactCondition(`os~${'(?:a|b)'.repeat(2)}*`);
  expect(() => textsThatFit(deep, new Set(['ab'.repeat(20_000_000)]), { ms: 600_000 })).toThrow(
    /Maximum call stack/,
  );
  expect(textsThatFit(parseFactCondition('os~^b'), new Set(['ab', 'ba']))).toEqual(new Set(['ba']));
});
