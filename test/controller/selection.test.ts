/** Who is chosen, and why. PuppetDB and the agents are stand-ins here; the real ones: test/puppet. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBoltInventory } from '../../src/controller/targeting/bolt/reader.ts';
import { parseFactCondition } from '../../src/controller/targeting/fact-condition.ts';
import type { HostSources } from '../../src/controller/targeting/host-sources.ts';
import { parseNodesFile } from '../../src/controller/targeting/nodes-file.ts';
import { type Selection, selectHosts } from '../../src/controller/targeting/selection.ts';
import {
  choose,
  databaseOf,
  excluding,
  groupOf,
  INVENTORY,
  namesOf,
  nobody,
  outputWithin,
  warnings,
} from './choosing.ts';

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

// ---------------------------------------------------------------- PuppetDB and agents

test('conditions are joined by and; alone they choose', async () => {
  const sources = databaseOf({
    byClass: async () => ['a.x', 'b.x', 'c.x'],
    byQuery: async () => ['b.x', 'c.x', 'd.x'],
    byLast: async ({ kind }) => (kind === 'failed' ? ['c.x'] : ['b.x']),
    active: async () => ['a.x', 'c.x'],
  });
  expect(await namesOf([], { classes: ['x'], queries: ['q'] }, { sources })).toEqual(['b.x', 'c.x']);
  expect(await namesOf([], { classes: ['x'], last: ['failed', 'stale'] }, { sources })).toEqual([
    'b.x',
    'c.x',
  ]);
  expect(await namesOf([], { all: true, queries: ['q'] }, { sources })).toEqual(['c.x']);
  expect(await namesOf(['@found,z.x'], {}, { sources })).toEqual(['b.x', 'c.x', 'd.x', 'z.x']);
});

test('without PuppetDB agents are asked; whoever does not answer is told, never left out in silence', async () => {
  const asked: string[] = [];
  const status = { certname: '', version: '', runner: '', uptime: 1, waiting: 0, time: 10_000 };
  const sources: HostSources = {
    ...nobody,
    askAgents: async (targets) =>
      targets.map((target) => {
        asked.push(target.certname);
        if (target.certname === 'web2.example.com') return { target, error: 'port 8139 refused' };
        const at = target.certname === 'web1.example.com' ? 9_500 : 1000;
        return {
          target,
          status: {
            ...status,
            classes: ['apache', 'apache::mod'],
            lastRun: { status: 'failed' as const, at },
          },
        };
      }),
  };
  const byClass = await choose(['@web'], { classes: ['::Apache::Mod'] }, { sources });
  expect(asked).toHaveLength(3);
  expect(byClass.targets.map(({ certname }) => certname)).toEqual(['web1.example.com', 'web10.example.com']);
  expect(byClass.unanswered.map(({ target }) => target.certname)).toEqual(['web2.example.com']);
  expect(byClass.explained().at(-1)?.because.at(-1)).toBe(
    'not known whether --class ::Apache::Mod: port 8139 refused',
  );
  // Whoever is excluded need not be judged.
  const more = { classes: ['apache'], ...excluding('web2') };
  expect((await choose(['@web'], more, { sources })).unanswered).toEqual([]);
  const inventory = { ...INVENTORY, groups: [...INVENTORY.groups, { name: 'maintenance', nodes: 'web2.*' }] };
  expect((await choose(['@web'], { classes: ['apache'] }, { sources, inventory })).unanswered).toEqual([]);
  asked.length = 0;
  const stale = await choose([], { last: ['stale'] }, { sources });
  expect(stale.targets.map(({ certname }) => certname)).toEqual(['db1.elsewhere.org', 'web10.example.com']);
  expect(await namesOf(['web[1-2]'], { classes: ['nginx'] }, { sources })).toEqual([]);
});

test('addresses come from a fact where the inventory has none', async () => {
  const { inventory } = readBoltInventory(INVENTORY);
  const sources = databaseOf({
    factValues: async (_paths, names = []) => new Map(names.map((name) => [name, ['10.9.9.9']])),
  });
  const selection: Selection = {
    named: [{ text: 'db,web1.example.com', origin: 'x' }],
    ...{ exclude: [], all: false, queries: [], facts: [], classes: [], last: [], olderThanMs: 1, seed: 's' },
    includeMaintenance: false,
  };
  const { targets } = await selectHosts(selection, {
    inventory,
    sources,
    port: 1,
    addressFrom: ['networking', 'ip'],
    warn: () => expect.unreachable(),
  });
  expect(targets.map(({ host }) => host)).toEqual(['10.0.0.7', '10.9.9.9']);
});

// ---------------------------------------------------------------- commands

test("a group's command prints names: expressions, comments and blank lines", async () => {
  const group = groupOf("printf '%s\\n' 'web[1-2]  # two' '' '# none' 'web1,x.y'");
  expect(await namesOf(['@dmz'], {}, group)).toEqual(['web1.example.com', 'web2.example.com', 'x.y']);
});

test('a command that hangs, fails, prints junk or too much is an error that names it', async () => {
  const cases: [string, RegExp][] = [
    ['echo no such thing >&2; exit 3', /exit code 3: no such thing/],
    ["printf 'web1\\nweb[2\\n'", /line 2 of what .*names printed: the bracket is not closed, see column 4/],
    ['yes web1', /more than 1000 bytes/],
    ['kill -9 $$', /ended by SIGKILL/],
    ['echo @dmz', /contains itself/],
  ];
  for (const [script, why] of cases)
    await expect(choose(['@dmz'], {}, groupOf(script)), script).rejects.toThrow(why);
  const impatient = { ...nobody, outputOf: outputWithin(500) };
  await expect(
    choose(['@dmz'], {}, { ...groupOf('sleep 600 & sleep 600'), sources: impatient }),
  ).rejects.toThrow(/did not end within 0.5 s/);
  const missing = { inventory: { groups: { dmz: { command: ['/nonexistent/program'] } } } };
  await expect(choose(['@dmz'], {}, missing)).rejects.toThrow(/ENOENT/);
});

test('names that no agent can have are left out of what a command prints, counted and named', async () => {
  const junk = "printf '%s\\n' 'web1,bü' 'a/b WEB2' '..' 'backup@nas.x' && printf '\\001\\002\\n'";
  expect(await namesOf(['@dmz'], {}, groupOf(junk))).toEqual([
    'web1.example.com',
    'web2.example.com',
    'backup@nas.x',
  ]);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^the group "dmz", what .*names printed: 4 names are no certnames and left out: "bü"/,
    ),
  ]);
  // What is left of an expression could mean others than it says.
  const difference = groupOf("echo 'web[1-2]!bü'");
  await expect(choose(['@dmz'], {}, difference)).rejects.toThrow(/cannot be in a certname/);
});

test('a list of nodes has expressions, comments, and tells its lines', async () => {
  expect(parseNodesFile('# all\r\nweb[1-2] # two\n\n  @dmz!web1  \n', 'f')).toEqual([
    { text: 'web[1-2]', origin: 'f:2' },
    { text: '@dmz!web1', origin: 'f:4' },
  ]);
  expect(parseNodesFile('\ufeff"a # b" # c\n', 'f')).toEqual([{ text: '"a # b"', origin: 'f:1' }]);
  // It was given: it names nobody, and is not the same as no list.
  expect(parseNodesFile('# none\n', 'f')).toEqual([{ text: '', origin: 'f' }]);
});
