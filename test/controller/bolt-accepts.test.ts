/**
 * What Bolt accepts is accepted: passed over with a warning that names file, line and path, and never refuses the rest.
 * Long because each case is an inventory of its own.
 */
import { expect, test } from 'vitest';
import { judge, parseFactCondition, valueAt } from '../../src/conditions/fact-condition.ts';
import { UNKNOWN_FACT } from '../../src/conditions/unknown-fact.ts';
import { inventoryOf, warningsOf } from '../support/inventory.ts';

test('what concerns Bolt alone may hold anything, without a word', async () => {
  const { hosts, warnings } = await inventoryOf(`
version: 2
vars: {when: 2020-01-01, deep: ${'{a: '.repeat(30)}1${'}'.repeat(30)}, plugin: {_plugin: prompt}}
features: {_plugin: x}
plugin_hooks: {puppet_library: {_plugin: y}}
config: {ssh: {password: {_plugin: prompt}, port: none}, winrm: [], odd: 1}
targets: [{name: web1, vars: 7, features: [1, 1], plugin_hooks: z}]
`);
  expect([...hosts.keys()]).toEqual(['web1']);
  expect(warnings).toEqual([]);
});

test('one target may be text, and unknown keys are told', async () => {
  const yaml = `description: all of it
targets: web1
groups:
  - name: a
    descripton: b
    targets:
      - {name: web2, description: c}
      - {name: web3, description: d, labels: []}
`;
  expect([...(await inventoryOf(yaml)).hosts.keys()].sort()).toEqual(['web1', 'web2', 'web3']);
  expect(await warningsOf(yaml)).toEqual([
    '1: description: "description" is no key of an inventory: ignored, as in Bolt',
    '5: groups.0.descripton: "descripton" is no key of a group: ignored, as in Bolt',
    '7: groups.0.targets.0.description: "description" is no key of a target: ignored, as in Bolt (2 places, lines 7, 8)',
    '8: groups.0.targets.1.labels: "labels" is no key of a target: ignored, as in Bolt',
  ]);
});

test("Ruby's YAML is read: keys twice, unknown tags, odd keys, more documents", async () => {
  const yaml = `targets: [gone]
config:
  ssh: {user: a}
  "ssh": {user: b}
vars:
  x: !vault |
    secret
  y: !py/tuple [1]
  z: {{ jinja }}
  ? [a, b]
  : c
targets: [web1]
---
not: read
`;
  expect([...(await inventoryOf(yaml)).hosts.keys()]).toEqual(['web1']);
  expect(await warningsOf(yaml)).toEqual([
    '1: only the first document of the file is read',
    '4: config.ssh: given twice: as in Bolt, the last one holds',
    '12: targets: given twice: as in Bolt, the last one holds',
  ]);
});

test("scalars are those of Ruby's YAML", async () => {
  const { hosts } = await inventoryOf(
    'targets: [12e4, {name: 4187e02, facts: {on: yes, mode: 0644, n: 1_000, f: 1.50, t: "12", s: 08, d: 2020-01-01}}]',
  );
  expect([...hosts.keys()].sort()).toEqual(['12e4', '4187e02']);
  expect(hosts.get('4187e02')?.facts).toEqual({
    true: true,
    mode: 420,
    n: 1000,
    f: 1.5,
    t: '12',
    s: '08',
    d: '2020-01-01',
  });
});

test('what a plugin fills in is skipped and counted, or taken for unknown; the rest holds', async () => {
  const yaml = `targets:
  - {_plugin: aws_inventory, region: x}
  - web1
  - {_plugin: aws_inventory, region: y}
  - {name: {_plugin: env_var, var: X}}
  - {name: web2, uri: {_plugin: env_var, var: X}, alias: {_plugin: env_var, var: Y}}
  - {name: web3, facts: {role: {_plugin: vault}, tier: gold}, config: {_plugin: yaml}}
  - {name: web4, facts: {_plugin: vault}, config: {transport: {_plugin: vault}, ssh: {host: {_plugin: vault}}}}
  - {_plugin: puppetdb, query: 'nodes[certname]{}'}
  - {_plugin: puppetdb, query: 'nodes[certname]{}', instance: other}
  - {_plugin: puppetdb, query: {_plugin: env_var}}
groups:
  - {_plugin: yaml, filepath: x}
  - {name: {_plugin: env_var}}
  - {name: a, targets: {_plugin: task}}
  - {name: b, groups: {_plugin: task}}
`;
  const { hosts, groups, warnings } = await inventoryOf(yaml);
  expect([...hosts.keys()].sort()).toEqual(['web1', 'web2', 'web3', 'web4']);
  expect(groups.get('all')?.sources).toEqual([{ query: 'nodes[certname]{}' }]);
  const { role, ...facts } = hosts.get('web3')?.facts ?? {};
  expect([facts, role]).toEqual([{ tier: 'gold' }, UNKNOWN_FACT]);
  expect(await warningsOf(yaml)).toEqual([
    '2: targets.0: targets from the plugin "aws_inventory", which kick does not know: skipped (2 places, lines 2, 4)',
    '5: targets.3: a target named by the plugin "env_var", which kick does not know: skipped (1 place)',
    '6: targets.4.uri: from the plugin "env_var", which kick does not know: the target is reached by its name',
    '6: targets.4.alias: an alias from the plugin "env_var", which kick does not know: ignored',
    '7: targets.5.facts.role: a fact from the plugin "vault", which kick does not know: unknown (2 places, lines 7, 8)',
    '7: targets.5.config: config from the plugin "yaml", which kick does not know: ignored',
    '8: targets.6.config.transport: from the plugin "vault", which kick does not know: taken for ssh',
    '8: targets.6.config.ssh.host: from the plugin "vault", which kick does not know: targets are reached by their names',
    '10: targets.8: targets from another instance of PuppetDB: skipped (1 place)',
    '11: targets.9: targets from a PuppetDB query that is not text: skipped (1 place)',
    '13: groups.0: a group from the plugin "yaml", which kick does not know: skipped (1 place)',
    '14: groups.1: a group from the plugin "env_var", which kick does not know: skipped (1 place)',
    '15: groups.2.targets: targets from the plugin "task", which kick does not know: skipped (1 place)',
    '16: groups.3.groups: groups from the plugin "task", which kick does not know: skipped (1 place)',
  ]);
  expect(warnings.filter(({ isLoss }) => isLoss)).toHaveLength(8);
});

test('a whole inventory from a plugin is skipped, and told', async () => {
  const yaml = '_plugin: yaml\nfilepath: inventory.d/site.yaml\n';
  expect((await inventoryOf(yaml)).hosts.size).toBe(0);
  expect(await warningsOf(yaml)).toEqual([
    '1: _plugin: the whole inventory is from the plugin "yaml", which kick does not know: skipped (1 place)',
  ]);
});

test('a fact from a plugin hides what a group says, and no condition can be judged by it', async () => {
  const { hosts } = await inventoryOf(`
facts: {role: web, os: {family: Debian}}
targets: [{name: h, facts: {role: {_plugin: vault}, os: {name: {_plugin: vault}}}}]
`);
  expect(hosts.get('h')?.facts).toEqual({ role: UNKNOWN_FACT, os: { family: 'Debian', name: UNKNOWN_FACT } });
  for (const text of ['role=web', 'role!=web', 'role~.', 'role>1', 'role.x!=1', 'os.name!=x']) {
    const condition = parseFactCondition(text);
    const value = valueAt(hosts.get('h')?.facts, condition.path);
    expect([text, judge(value, condition)]).toEqual([text, 'incomparable']);
  }
});

test('targets that no certname or address can be made of are skipped, the others hold', async () => {
  const yaml = `targets:
  - web1
  - b b
  - 10.0.0.0/24
  - 2001:db8::1
  - {name: prod/web2}
  - {name: web3, uri: "10.0.0.1:99999"}
  - {uri: "ssh://root:secret@-"}
  - {name: web4, alias: ["db:4", "x y", ok]}
  - https://web5:443
`;
  const { hosts, aliases } = await inventoryOf(yaml);
  expect([...hosts.keys()].sort()).toEqual(['web1', 'web3', 'web4', 'web5']);
  expect([...aliases.keys()]).toEqual(['ok']);
  const told = await warningsOf(yaml);
  expect(told.join('\n')).not.toContain('secret');
  expect(told).toEqual([
    '3: targets.1: not an address like host, host:port or [address]:port: skipped: b b, 10.0.0.0/24 (lines 3, 4)',
    '5: targets.3: an IPv6 address without its brackets: skipped: 2001:db8::1',
    '6: targets.4.name: a name that cannot be a certname: skipped: prod/web2',
    '7: targets.5.uri: not an address like host, host:port or [address]:port: the target is reached by its name',
    '8: targets.6.uri: its host cannot be a certname, and it has no name: skipped: ssh://-',
    '9: targets.7.alias.0: an alias that cannot be typed (not only letters, digits and "._-@"): ignored: db:4, x y',
    '10: targets.8: "https" is neither kick nor a transport of Bolt\'s: only the host of such a uri counts',
  ]);
});

test('what is passed over names no other host, by its name or an alias', async () => {
  const yaml = `targets:
  - {uri: "[fe80::1]:22", alias: v6}
  - {uri: "docker://c1", alias: [box, "box:1"]}
  - {name: "prod/web2", alias: old}
  - {name: {_plugin: env_var, var: X}, alias: known}
  - {name: web1, alias: "db:4"}
  - {name: web3, alias: WEB}
  - {name: web4, alias: web}
groups:
  - {name: g, targets: [v6, box, "box:1", old, known, "docker://c1", "db:4", "[fe80::1]:22"]}
  - {name: h, targets: [WEB]}
  - {name: i, targets: [web]}
`;
  const { hosts, groups } = await inventoryOf(yaml);
  expect([...hosts.keys()]).toEqual(['web1', 'web3', 'web4']);
  expect(['g', 'h', 'i'].map((name) => groups.get(name)?.hosts)).toEqual([['web1'], ['web3'], ['web4']]);
});

test('what stands behind the host of a uri with a scheme is passed over', async () => {
  const { hosts } = await inventoryOf(`targets:
  - {name: web1, uri: "ssh://root@10.0.0.1:22/path?query#fragment"}
  - {name: web2, uri: "kick://10.0.0.2:8140/"}
  - {name: web3, uri: "https://10.0.0.3/api", config: {transport: remote}}
  - ssh://web4?x=@y
`);
  const addresses = [...hosts.values()].map(({ certname, address }) => [certname, address]);
  expect(addresses).toEqual([
    ['web1', { host: '10.0.0.1' }],
    ['web2', { host: '10.0.0.2', port: 8140 }],
    ['web4', { host: 'web4' }],
  ]);
});

test("merge keys are those of Ruby's YAML", async () => {
  const { hosts, warnings } = await inventoryOf(`x: &x {a: 1, b: 2}
targets:
  - {name: h1, facts: {<<: *x, b: 3}}
  - {name: h2, facts: {b: 3, <<: {a: 1, b: 2}}}
  - {name: h3, facts: {<<: [{a: 1}, {a: 2, c: 3}]}}
  - {name: h4, facts: {<<: 5, d: {<<: }}}
`);
  expect([...hosts.values()].map(({ facts }) => facts)).toEqual([
    { a: 1, b: 3 },
    { a: 1, b: 2 },
    { a: 1, c: 3 },
    { '<<': 5, d: { '<<': null } },
  ]);
  expect(warnings).toHaveLength(1);
});

test('groups may be called what Bolt allows; what cannot be typed is told, what Bolt refuses is refused', async () => {
  const yaml = `groups:
  - {name: "db:prod", targets: [a]}
  - {name: "x@y", targets: [b]}
  - {name: "a&b", targets: [c]}
  - {name: "*", targets: [d]}
`;
  const { groups } = await inventoryOf(yaml);
  expect([...groups.keys()]).toEqual(['all', 'db:prod', 'x@y', 'a&b', '*']);
  expect(await warningsOf(yaml)).toEqual([
    '4: groups.2.name: a group that cannot be typed ("!", "&", "^", "[" and "]" mean something else), though its hosts can: a&b, * (lines 4, 5)',
  ]);
  for (const [name, why] of [
    ['all', '"all" is the whole inventory, in Bolt too: choose another name'],
    ['"a b"', '"a b" cannot be a group\'s name: as in Bolt, it has no blanks and no commas'],
    ['"a,b"', '"a,b" cannot be a group\'s name: as in Bolt, it has no blanks and no commas'],
    ['5', 'a group is a mapping like {name: web, targets: [web1.example.com]}, its name text'],
  ] as const) {
    await expect(inventoryOf(`groups:\n  - name: ${name}`)).rejects.toThrow(why);
  }
  expect(await warningsOf('name: site\ntargets: [a]')).toEqual([
    '1: name: the whole inventory is called "all", as in Bolt: ignored',
  ]);
});

test("keys of Bolt's version 1 are refused", async () => {
  await expect(inventoryOf('version: 1')).rejects.toThrow(/version: only Bolt's version 2/);
  await expect(inventoryOf('nodes: [a]')).rejects.toThrow(/:1: nodes: a key of Bolt's inventory version 1/);
  await expect(inventoryOf('groups:\n  - {name: a, nodes: [b]}')).rejects.toThrow(
    /:2: groups.0.nodes: .*version 1/,
  );
  await expect(inventoryOf('target-lookups: []')).rejects.toThrow(/target-lookups: no longer a key/);
});

test('what is two names to Bolt and one here is told; what is one to Bolt too is refused', async () => {
  const yaml = `targets:
  - {name: web1, alias: WEB}
  - {name: web2, alias: [web, Web1]}
  - ssh://web
`;
  const { hosts, aliases } = await inventoryOf(yaml);
  expect([[...hosts.keys()], [...aliases]]).toEqual([['web1', 'web2'], [['web', 'web1']]]);
  expect(await warningsOf(yaml)).toEqual([
    '3: targets.1.alias.0: "web" and "WEB" of web1 are one name here: ignored',
    '3: targets.1.alias.1: "Web1" and "web1" of web1 are one name here: ignored',
    '4: targets.2: "web" is an alias of web1 above: skipped (1 place)',
  ]);
  await expect(inventoryOf('targets: [{name: a, alias: b}, {name: b}]')).rejects.toThrow(
    /"b" is an alias of a/,
  );
  await expect(inventoryOf('targets: [{name: b}, {name: a, alias: b}]')).rejects.toThrow(
    /"b" is a name of b/,
  );
});

test('targets that are left out for the same reason are folded', async () => {
  const boxes = [...Array(40).keys()].map((number) => `  - {name: box${number}.x}\n`).join('');
  expect(await warningsOf(`config: {transport: docker}\ntargets:\n${boxes}`)).toEqual([
    expect.stringMatching(/left out unless named: box\[0-39\]\.x \(lines 3, 4, 5, 6, 7\)$/),
  ]);
});

test('the same target more than once is told where something of it is lost', async () => {
  expect(
    await warningsOf(`targets:
  - {name: a, uri: 10.0.0.1}
  - {name: a, facts: {x: 1}}
  - {name: b, facts: {x: 1}}
  - {name: c}
  - b
  - c
  - c
groups:
  - {name: g, targets: [{name: a, uri: 10.0.0.2}]}
`),
  ).toEqual([
    '3: targets.1: listed twice here: as in Bolt, the first entry holds: a',
    '6: targets.4: listed twice here: as in Bolt, this bare name replaces the entry that says more: b',
    '10: groups.0.targets.0.uri: another group gives this target another uri: "kick nodes --explain" shows which holds: a',
  ]);
});
