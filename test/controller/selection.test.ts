/** Who is chosen by names, expressions, groups and facts of the inventory, and why. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseFactCondition } from '../../src/conditions/fact-condition.ts';
import { choose, excluding, INVENTORY, namesOf } from './choosing.ts';

test('a name is that of the inventory first, then gets the domain', async () => {
  const { targets } = await choose(['db', 'DB1', 'web1', 'new1', 'a.b']);
  expect(targets).toEqual([
    { certname: 'db1.elsewhere.org', host: '10.0.0.7', port: 9000 },
    { certname: 'web1.example.com', host: 'web1.example.com', port: 8139 },
    { certname: 'new1.example.com', host: 'new1.example.com', port: 8139 },
    { certname: 'a.b', host: 'a.b', port: 8139 },
  ]);
});

test('each host is chosen once, in the order of its first mention', async () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9]{0,3}$/);
  await fc.assert(
    fc.asyncProperty(fc.array(name, { minLength: 1, maxLength: 30 }), async (names) => {
      const mixed = names.map((one, index) => (index % 2 === 0 ? one : `${one.toUpperCase()}.example.com.`));
      const found = await namesOf(mixed, {}, { inventory: {} });
      expect(found).toEqual([...new Set(names.map((one) => `${one}.example.com`))]);
    }),
  );
});

test('ranges, masks and groups meet the inventory', async () => {
  expect(await namesOf(['web[1-2]'])).toEqual(['web1.example.com', 'web2.example.com']);
  // A short mask means short names too.
  expect(await namesOf(['web?'])).toEqual(['web1.example.com', 'web2.example.com']);
  expect(await namesOf(['@web'])).toEqual(['web1.example.com', 'web2.example.com', 'web10.example.com']);
  expect(await namesOf(['@most'])).toEqual(['web1.example.com', 'web10.example.com', 'db1.elsewhere.org']);
  expect(await namesOf(['@outer'])).toEqual(['db1.elsewhere.org', 'web2.example.com']);
  expect(await namesOf(['@*!@web'])).toEqual(['db1.elsewhere.org']);
  expect(await namesOf([], { all: true, ...excluding('web1,web2', 'web10') })).toEqual(['db1.elsewhere.org']);
});

test('a syntax error points at its column, and says where it stands', async () => {
  const cases: [string, number, RegExp][] = [
    ['web[1-', 4, /the bracket is not closed/],
    ['web1]', 5, /was not opened/],
    ['a,,b', 3, /nothing before ","/],
    ['a!', 2, /nothing after "!"/],
    ['web[9-1]', 5, /runs backwards/],
    ['web[01-100]', 5, /two different lengths/],
    ['web[1-9/0]', 5, /the step is 0/],
    ['web[a-b]', 5, /not a range/],
    ['web[1-2][3-4]', 9, /side by side/],
    ['ok,web[1,x]', 10, /not a range/],
    ['web1,w b(c', 9, /"\(" cannot be in a certname/],
  ];
  for (const [text, column, why] of cases) {
    const error: Error = await choose(['fine', text]).then(
      () => expect.unreachable(text),
      (thrown: Error) => thrown,
    );
    expect(error).toMatchObject({ code: 'usage' });
    expect(error.message).toMatch(why);
    expect(error.message).toContain(`argument 2: `);
    expect(error.message).toContain(`see column ${column}\n  ${text}\n  ${' '.repeat(column - 1)}^`);
  }
});

test('ten million names and more are refused before they are made', async () => {
  for (const text of [
    'web[1-10000000]',
    'web[1-1000]x[1-1000]y[1-1000]z[1-1000]', // would fit in no memory
    'a[1-99999],b[1-99999],c[1-99999]',
  ]) {
    await expect(choose([text])).rejects.toThrow(/more than 250000 names/);
  }
});

test('a group that does not exist, or contains itself, is an error with what there is', async () => {
  await expect(choose(['@nope'])).rejects.toMatchObject({
    code: 'usage',
    message: 'look up the group "nope": there is no such group, see column 1',
    hint: expect.stringContaining('web, most, a, b'),
  });
  await expect(choose(['@b'])).rejects.toThrow(/@b -> @c -> @a -> @b/);
});

test('nobody named, and nobody left, are errors that say why', async () => {
  await expect(choose([])).rejects.toThrow(/there are none/);
  await expect(choose(['web1'], excluding('web*'))).rejects.toThrow(
    /nobody is left: 1 host --exclude: web\*/,
  );
  await expect(choose(['zzz*'])).rejects.toThrow(/nobody is named by argument 1: zzz\*/);
});

test('hosts in maintenance are left out, named, and can be had', async () => {
  const inventory = { ...INVENTORY, groups: [{ name: 'maintenance', nodes: 'web2.example.com,web99' }] };
  const { targets, maintenance, explained } = await choose(['web[1-2]'], {}, { inventory });
  expect(targets.map(({ certname }) => certname)).toEqual(['web1.example.com']);
  expect(maintenance).toEqual(['web2.example.com']);
  expect(explained().at(-1)).toEqual({
    certname: 'web2.example.com',
    isIn: false,
    because: ['argument 1: web[1-2]', 'in the group "maintenance" (--include-maintenance)'],
  });
  expect(await namesOf(['web[1-2]'], { includeMaintenance: true }, { inventory })).toHaveLength(2);
});

test('--limit draws the same hosts for the same seed, whatever their order', async () => {
  const limit = { count: 10, unit: 'percent' } as const;
  const one = await namesOf(['n[1-200]'], { limit, seed: 'x' });
  const other = await namesOf(['n[101-200],n[1-100]'], { limit, seed: 'x' });
  expect(one).toHaveLength(20);
  expect([...one].sort()).toEqual([...other].sort());
  expect(await namesOf(['n[1-200]'], { limit, seed: 'y' })).not.toEqual(one);
  expect(await namesOf(['n[1-3]'], { limit, seed: 'y' })).toHaveLength(1);
});

test('facts of the inventory choose where there is no PuppetDB', async () => {
  const fact = (text: string) => ({ facts: [parseFactCondition(text)] });
  expect(await namesOf([], fact('os.family=Debian'))).toEqual(['db1.elsewhere.org']);
  expect(await namesOf([], fact('cpus>3'))).toEqual(['web1.example.com']);
  expect(await namesOf([], fact('os.family~^(Red|Blue)'))).toEqual(['web1.example.com']);
  expect(await namesOf([], fact('os.family!=Debian'))).toHaveLength(3);
  await expect(choose([], fact('a=b'), { inventory: { targets: ['x'] } })).rejects.toThrow(/no PuppetDB/);
});

test('a condition on a fact that cannot be read points at its column', () => {
  const cases: [string, number][] = [
    ['os.family', 10],
    ['=x', 1],
    ['os..family=x', 4],
    ['cpus>many', 6],
    ['name~(', 6],
  ];
  for (const [text, column] of cases) {
    expect(() => parseFactCondition(text)).toThrow(
      `see column ${column}\n  ${text}\n  ${' '.repeat(column - 1)}^`,
    );
  }
  expect(parseFactCondition('mounts."/boot".size>=5').path).toEqual(['mounts', '/boot', 'size']);
  expect(parseFactCondition('disks[0].0=x').path).toEqual(['disks', 0, 0]);
});
