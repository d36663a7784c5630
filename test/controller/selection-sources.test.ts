/** Who is chosen by what PuppetDB, agents, commands and lists of nodes say. Stand-ins here; the real ones: test/puppet. */
import { expect, test } from 'vitest';
import { readBoltInventory } from '../../src/controller/targeting/bolt/reader.ts';
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
