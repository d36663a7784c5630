/** What may be in the files that the program reads: mostly what it should be, with something wrong in it. */
import fc from 'fast-check';
import { hosts, odd, PLACES } from './nasty.ts';

/** A file: its text, or something else in its place (place.ts). */
export type FileContent = { text: string } | { place: string };

const scalar: fc.Arbitrary<unknown> = fc.oneof(
  odd,
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, 1e300, [], {}, [[]], [{}], { a: { b: {} } }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Mostly what is meant, or else anything. */
const mostly = <T>(good: fc.Arbitrary<T>, weight = 6): fc.Arbitrary<unknown> =>
  fc.oneof({ weight, arbitrary: good }, { weight: 1, arbitrary: scalar });

const some = (fields: Record<string, fc.Arbitrary<unknown>>) => fc.record(fields, { requiredKeys: [] });

const uri = fc.constantFrom(
  ...[
    '@CLOSED@',
    '@HOSTILE@',
    '127.0.0.1:1',
    '[::1]:1',
    'kick://127.0.0.1:1',
    'ssh://u@h:22',
    'docker://x',
    ':',
    '1:99999',
    '@',
  ],
);

const facts = fc.constantFrom<unknown>(
  { os: 'Debian', n: 4, list: [1, 2], deep: { a: [{ b: null }] } },
  { os: `${'a'.repeat(50)}b`, n: '12.4' },
  JSON.parse('{"__proto__": {"x": 1}, "constructor": 1}'),
);

const target = fc.oneof(
  { weight: 3, arbitrary: hosts },
  {
    weight: 3,
    arbitrary: some({
      name: mostly(hosts),
      uri: mostly(uri),
      alias: mostly(fc.array(hosts, { maxLength: 3 })),
      facts: mostly(facts),
      config: scalar,
    }),
  },
  { weight: 1, arbitrary: scalar },
);

const program = fc.constantFrom(
  ...[
    ['/bin/echo', 'web1 web[2-3]'],
    ['/bin/echo', 'a/b', '..'],
    ['/bin/false'],
    ['/nowhere'],
    ['/'],
    ['/dev/null'],
    [''],
  ],
  ...[
    ['/bin/cat', '/dev/null'],
    ['/bin/sh', '-c', 'yes "["'],
    ['/bin/sh', '-c', 'kill -9 $$'],
    ['/bin/printf', '\\033[2J\\377\\n'],
  ],
);

const group = (depth: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: some({
        name: mostly(
          fc.constantFrom('dmz', 'maintenance', 'all', 'circle', 'nobody', 'program', 'a', 'b', '', 'a b'),
        ),
        targets: mostly(fc.array(target, { maxLength: 3 })),
        nodes: mostly(fc.oneof(hosts, fc.constantFrom('@circle', '@dmz', '@a', '@b', ''))),
        command: mostly(program),
        query: mostly(fc.constantFrom('nodes {}', '')),
        concurrency: mostly(fc.constantFrom(1, 5)),
        ...(depth > 0 && { groups: mostly(fc.array(group(depth - 1), { maxLength: 2 })) }),
      }),
    },
    { weight: 1, arbitrary: scalar },
  );

const inventoryValue = some({
  version: mostly(fc.constant(2)),
  targets: mostly(fc.array(target, { maxLength: 5 }), 12),
  groups: mostly(fc.array(group(2), { maxLength: 4 })),
  facts: scalar,
});

const controllerValue = some({
  port: mostly(fc.constant(8139)),
  concurrency: mostly(fc.constantFrom(1, 3)),
  domain: mostly(fc.constant('example.com')),
  confirm_above: mostly(fc.constant(1)),
  puppetdb: mostly(
    fc.constantFrom<unknown>(false, { urls: ['https://127.0.0.1:1'] }, { urls: ['http://[::1]:1/a?b'] }),
  ),
  address_from: mostly(fc.constant('facts.networking.ip')),
  groups: mostly(fc.dictionary(fc.constantFrom('x', 'dmz', '__proto__'), group(1), { maxKeys: 2 })),
  metrics_file: mostly(fc.constantFrom('/nowhere/x.prom', '/dev/full', '/x')),
});

/** YAML that no JSON is: what only a person or a program with a fault writes. */
const rawYaml = fc.constantFrom(
  ...[
    '',
    '\n',
    '# nothing\n',
    '---\n',
    '---\n---\n',
    '%YAML 9.9\n---\n',
    '\ufefftargets: [a.b]\n',
    'targets: [a.b]\r\n',
    '\t- a',
    ': :',
    '? ?',
  ],
  ...[
    'targets:\n- a\n - b\n',
    'targets: &a [*a]\n',
    'a: &a {b: *a}\ntargets: [x]\n',
    'targets: [a.b, a.b]\ntargets: [c.d]\n',
    '!!js/function x',
  ],
  ...[
    'targets: !ruby/object:X {a: b}\n',
    '<<: [{targets: [a.b]}]\n',
    'targets: 2024-99-99\n',
    `targets: ${'['.repeat(500)}`,
    '"\\ud800"',
  ],
  bomb(),
  deepAliases(),
  `targets: [${'a.b,'.repeat(20_000)}]\n`,
  `targets:\n${Array.from({ length: 500 }, (_, at) => `  - web${at}.example.com\n`).join('')}`,
  `groups:\n${Array.from({ length: 1500 }, (_, at) => `- {name: g${at}, nodes: '@g${at + 1}'}\n`).join('')}`,
  `x: ${'9'.repeat(100_000)}\n`,
  `"${'k'.repeat(100_000)}": 1\n`,
);

/** Each level twice the one before. */
function bomb(): string {
  const levels = Array.from({ length: 40 }, (_, at) => `l${at + 1}: &l${at + 1} [*l${at}, *l${at}]\n`);
  return `l0: &l0 [x, x]\n${levels.join('')}targets: [*l40]\n`;
}

/** Deeper than a file may be written: each is inside the one before. */
function deepAliases(): string {
  const nested = (inner: string) =>
    `${'{groups: [{name: x, groups: ['.repeat(20)}${inner}${']}]}'.repeat(20)}`;
  const levels = Array.from({ length: 90 }, (_, at) => `f${at + 1}: &f${at + 1} ${nested(`*f${at}`)}\n`);
  return `f0: &f0 {a: 1}\n${levels.join('')}facts: *f90\ngroups: [*f90]\ntargets: [{name: a.b, facts: *f89}]\n`;
}

/** What happened to a file or folder of the store since kick wrote it. */
export interface FileDamage {
  /** Which of them: modulo how many there are. */
  at: number;
  /** Replaces all of it; undefined: `text` is put in the place of `length` characters from `from`. */
  place: string | undefined;
  from: number;
  length: number;
  text: string;
}

export const fileDamage: fc.Arbitrary<FileDamage> = fc.record({
  at: fc.nat(100),
  place: fc.option(fc.constantFrom(...PLACES), { freq: 3, nil: undefined }),
  from: fc.nat(2000),
  length: fc.constantFrom(0, 0, 1, 1, 5, 40, 100_000),
  text: fc.oneof(odd, fc.constantFrom('0', '9', '-', 'null', '{"v":99}', '],', '1e999')),
});

/** A good text that lost or gained something. */
const damaged = (good: fc.Arbitrary<string>) =>
  fc.tuple(good, fc.nat(2000), fc.nat(40), odd).map(([text, at, length, other]) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + other + text.slice(from + length);
  });

function fileOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<FileContent> {
  const json = value.map((one) => JSON.stringify(one));
  return fc.oneof(
    { weight: 10, arbitrary: json.map((text) => ({ text })) },
    { weight: 3, arbitrary: damaged(json).map((text) => ({ text })) },
    { weight: 2, arbitrary: rawYaml.map((text) => ({ text })) },
    { weight: 1, arbitrary: fc.constantFrom(...PLACES).map((place) => ({ place })) },
  );
}

export const inventoryFile = fileOf(inventoryValue);
export const controllerFile = fileOf(controllerValue);

export const nodesFile: fc.Arbitrary<string> = fc.oneof(
  fc
    .array(fc.oneof(hosts, odd, fc.constant('# comment')), { maxLength: 20 })
    .map((lines) => lines.join('\n')),
  fc.constantFrom(
    'web1\r\nweb2\r\n',
    '\ufeffweb1',
    '\0\0\0',
    'web1 '.repeat(50_000),
    '\n'.repeat(100_000),
    '"'.repeat(100_001),
  ),
);
