/** What was given and comes to nobody is nobody, never everybody; an exclusion that holds nobody is told. */
import { expect, test } from 'vitest';
import { parseFactCondition } from '../../src/conditions/fact-condition.ts';
import type { HostSources } from '../../src/controller/targeting/host-sources.ts';
import { choose, databaseOf, excluding, groupOf, namesOf, nobody, warnings } from './choosing.ts';

const fact = { facts: [parseFactCondition('os.family=Debian')] };
const given = (text: string, origin = 'nodes.txt') => ({ named: [{ text, origin }] });

const EMPTY_GROUPS = {
  targets: [{ name: 'web1.example.com', facts: { os: { family: 'Debian' } } }],
  groups: [
    { name: 'none', targets: [] },
    { name: 'nothing', nodes: 'zzz*' },
    { name: 'found', query: 'nodes{}' },
  ],
};

test.each<[string, string]>([
  ['an empty list', ''],
  ['an empty group', '@none'],
  ['a group of a mask that fits nobody', '@nothing'],
  ['a mask that fits nobody', 'zzz*'],
  ['a difference of all', 'web1!web1'],
  ['an intersection of none', 'web1&web2'],
])('%s beside a condition is nobody', async (_what, text) => {
  for (const more of [fact, { last: ['failed' as const] }, { classes: ['x'] }, { queries: ['nodes{}'] }]) {
    const chosen = choose([], { ...given(text), ...more }, { inventory: EMPTY_GROUPS });
    await expect(chosen).rejects.toMatchObject({
      code: 'usage',
      message: `choose the hosts: nobody is named by ${text === '' ? 'nodes.txt' : `nodes.txt: ${text}`}`,
    });
  }
});

test('a query or a program that finds nobody is nobody, and conditions are not asked', async () => {
  const sources = databaseOf({ byQuery: async () => [] });
  await expect(choose(['@found'], fact, { sources, inventory: EMPTY_GROUPS })).rejects.toThrow(
    /nobody is named by argument 1: @found/,
  );
  await expect(choose(['@dmz'], fact, groupOf('true'))).rejects.toThrow(
    /nobody is named by argument 1: @dmz/,
  );
  await expect(
    choose([], { all: true }, { sources: databaseOf({ active: async () => [] }) }),
  ).rejects.toThrow(/nobody is named by --all/);
});

test('beside hosts that are named, a list of nobody adds nobody, and is told', async () => {
  const more = { named: [{ text: 'web1', origin: 'argument 1' }, ...given('').named] };
  expect(await namesOf([], { ...more, ...fact }, { inventory: EMPTY_GROUPS })).toEqual(['web1.example.com']);
  expect(warnings).toEqual(['nodes.txt: it names nobody']);
});

test('an inventory that lists no host is nobody, and not whom Puppet has signed', async () => {
  const sources: HostSources = { ...nobody, signedCertnames: async () => ['web1.example.com'] };
  for (const inventory of [
    { targets: [] },
    { targets: null },
    { groups: [{ name: 'web', targets: [] }] },
    { targets: ['docker://web'] },
  ]) {
    await expect(choose([], { all: true }, { sources, inventory })).rejects.toThrow(
      /nobody is named by --all/,
    );
    await expect(choose(['@*'], {}, { sources, inventory })).rejects.toThrow(/nobody is named/);
    await expect(choose(['web*'], {}, { sources, inventory })).rejects.toThrow(/nobody is named/);
  }
  // Where it lists nobody in no way, others know.
  for (const inventory of [{}, { groups: [{ name: 'maintenance', targets: [] }] }]) {
    expect(await namesOf([], { all: true }, { sources, inventory })).toEqual(['web1.example.com']);
    expect(await namesOf(['web*'], {}, { sources, inventory })).toEqual(['web1.example.com']);
  }
});

test("what stands for targets in an inventory is everybody there, and not all of PuppetDB's nodes", async () => {
  const sources = databaseOf({
    byQuery: async () => ['a.example.com'],
    active: async () => ['a.example.com', 'z.example.com'],
  });
  const inventory = { targets: [{ _plugin: 'puppetdb', query: 'nodes{}' }] };
  expect(await namesOf(['@*'], {}, { sources, inventory })).toEqual(['a.example.com']);
  expect(await namesOf(['@all'], {}, { sources, inventory })).toEqual(['a.example.com']);
  expect(await namesOf(['*'], {}, { sources, inventory })).toEqual(['a.example.com']);
});

// ---------------------------------------------------------------- exclusions

test.each<[string, string[], string[]]>([
  ['a host that there is', ['web2'], []],
  ['a range of which there is one', ['web[2-9]'], []],
  ['a host of the inventory that is not among them', ['db'], []],
  ['a group with hosts that are not among them', ['@outer!web2'], []],
  ['a mask that fits others', ['db*'], []],
  ['a typing error', ['wbe2'], ['--exclude wbe2: no such host among the chosen']],
  ['one typing error of two', ['web2,wbe2'], ['--exclude wbe2: no such host among the chosen']],
  ['a range of nobody', ['web[7-9]'], ['--exclude web[7-9]: no such host among the chosen']],
  ['a mask that fits nobody', ['wbe*'], ['--exclude wbe*: no such host among the chosen']],
  ['a difference of nobody', ['web7!web7'], ['--exclude web7!web7: no such host among the chosen']],
  ['nothing', [''], ['--exclude: it names nobody']],
  ['blanks', ['  '], ['--exclude: it names nobody']],
])('an exclusion of %s', async (_what, texts, told) => {
  await choose(['web[1-2]', 'web10'], excluding(...texts));
  expect(warnings).toEqual(told);
});

test('an exclusion of a group with nobody in it is told', async () => {
  await choose(['web1'], excluding('@none'), { inventory: EMPTY_GROUPS });
  expect(warnings).toEqual(['--exclude @none: no such host among the chosen']);
});

test("names of a group's expression may be misspelt as well", async () => {
  const groups = [
    { name: 'old', nodes: 'wbe1' },
    { name: 'outer', groups: [{ name: 'older', nodes: 'wbe[2-3]' }] },
    { name: 'some', nodes: 'wbe1,web2' },
    { name: 'new', nodes: 'web[1-3]!wbe2!*-test' },
  ];
  const inventory = { targets: ['web1.example.com', 'web2.example.com'], groups };
  expect(await namesOf([], { all: true, ...excluding('@old', '@outer', '@some') }, { inventory })).toEqual([
    'web1.example.com',
  ]);
  expect(warnings).toEqual([
    '--exclude @old: no such host among the chosen',
    '--exclude @outer: no such host among the chosen',
  ]);
  // Once, however often the group is looked up; a mask may be for hosts to come.
  await choose(['@new', '@new!@new,web1'], {}, { inventory });
  expect(warnings).toEqual(['the group "new": !wbe2: no such host among those before it']);
  await choose(
    ['web1'],
    { exclude: [{ text: '@new', origin: '--exclude' }], named: [{ text: 'web9', origin: 'x' }] },
    { inventory },
  );
  expect(warnings).toEqual([]);
});

test('where conditions alone choose, whoever is known does not count as a typing error', async () => {
  const sources = databaseOf({
    byClass: async () => ['a.x', 'b.x'],
    active: async () => ['a.x', 'b.x', 'c.x'],
  });
  const classes = { classes: ['x'] };
  expect(await namesOf([], { ...classes, ...excluding('b.x', 'c.x') }, { sources })).toEqual(['a.x']);
  expect(warnings).toEqual([]);
  await choose([], { ...classes, ...excluding('d.x') }, { sources });
  expect(warnings).toEqual(['--exclude d.x: no such host among the chosen']);
});

test('masks of an exclusion fit whoever is chosen, known or not', async () => {
  const chosen = ['new[1-3].example.com'];
  const inventory = {
    targets: ['web1.example.com'],
    groups: [
      { name: 'new', nodes: 'new[2-9]*' },
      { name: 'odd', nodes: 'new*!new[2,4]*' },
    ],
  };
  const names = (...args: string[]) => namesOf(chosen, excluding(...args), { inventory });
  expect(await names('new2*')).toEqual(['new1.example.com', 'new3.example.com']);
  expect(await names('@new')).toEqual(['new1.example.com']);
  expect(await names('@odd')).toEqual(['new2.example.com']);
  expect(await namesOf(['new[1-3]!new2*'], {}, { inventory })).toEqual([
    'new1.example.com',
    'new3.example.com',
  ]);
  expect(await namesOf(['new[1-3]!@new'], {}, { inventory })).toEqual(['new1.example.com']);
  // Where nobody is known at all, too.
  expect(await namesOf(chosen, excluding('new2*'), { inventory: {} })).toHaveLength(2);
  const maintenance = { groups: [{ name: 'maintenance', nodes: 'new2*' }] };
  expect(await namesOf(chosen, {}, { inventory: maintenance })).toHaveLength(2);
  // A choice is among those who are known.
  expect(await namesOf(['new1,web[1-9]&web*'], {}, { inventory })).toEqual(['web1.example.com']);
});

test('a difference that leaves nobody out is told', async () => {
  await choose(['web[1-2]!wbe2']);
  expect(warnings).toEqual(['argument 1: !wbe2: no such host among those before it']);
  await choose(['web[1-2]!db', '@web!web1!web2']);
  expect(warnings).toEqual([]);
});
