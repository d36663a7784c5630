/** Values that are typed, pasted or set by mistake; some are what is meant. */
import fc from 'fast-check';

/** What a place on disk may be instead of what it should be; each is in the folder of an input (place.ts). */
export const PLACES = [
  '@FILE@',
  '@FOLDER@',
  '@MISSING@',
  '@FIFO@',
  '@UNDER-FILE@',
  '@LOOP@',
  '@BROKEN@',
  '@BYTES@',
  '@LONG@',
  '/dev/null',
  '/dev/full',
  '/dev/zero',
  '/proc/self/mem',
  '/',
  '.',
  '..',
  '',
] as const;

/** Mostly what is meant: an input with one thing wrong gets further than one with many. */
interface Kind {
  good: readonly string[];
  bad: readonly string[];
}

const NUMBERS: Kind = {
  good: ['1', '2', '3', '25'],
  bad: ['0', '-1', '-0', '1.5', '1e3', '1e999', 'NaN', 'Infinity', '0x10', '007', '٣', '9'.repeat(30)],
};
const TIMES: Kind = {
  good: ['0', '0s', '1ms', '50ms', '1s', '10m', '1h30m', '1.5s'],
  bad: ['999999999d', '9999999999', '-1s', 's', '1 s', '1e9s'],
};
const SHARES: Kind = {
  good: ['1', '2', '10%', '100%'],
  bad: ['0', '101%', '0%', '%', '-1%', '9999999', '99999999'],
};
const HOSTS: Kind = {
  good: [
    ...[
      'web1',
      'web1.example.com',
      'web[1-3]',
      'WEB1.',
      'web*',
      '*',
      '?',
      '@all',
      '@*',
      '@dmz',
      '@program',
      'hostile',
    ],
    ...[
      'hostile.example.com',
      'db',
      'db,web1!web2&web*^db',
      'web[01-12]',
      '"a b"',
      '127.0.0.1',
      '@a',
      '@b',
      'web1 web2',
    ],
  ],
  bad: [
    ...[
      'web[1-',
      'web]',
      '[',
      ']',
      '[]',
      'a[1-2][3]',
      '@',
      '!',
      ',',
      '&',
      '^',
      '@nobody',
      '@circle',
      'web[9-1]',
      'web[1-999999999]',
    ],
    ...[
      'a[1-300000]',
      'x*[1-20000]',
      '*a*a*a*a*a*a*a*a*b',
      '"',
      '"\\"',
      '@@',
      '::1',
      'a:8139',
      'http://a/',
      'a/b',
      '../x',
      '-x',
    ],
    ...['a'.repeat(300), '[['.repeat(2000), 'a[1]'.repeat(500)],
  ],
};
const FACTS: Kind = {
  good: ['os=Debian', 'os.family!=x', 'os~^D', 'n>1', 'n<=x12', 'a[0]=1', '"x"=1', 'os~(a+)+$'],
  bad: [
    ...['os~(', 'os~[', 'n<=x', 'a..b=1', '=', 'a', 'a[9999999]=1', '__proto__=x', 'constructor.name=Object'],
    ...[`a${'.a'.repeat(3000)}=1`, `os~${'(?:'.repeat(3000)}`, 'os~a{99999}'],
  ],
};
const JOBS: Kind = { good: ['last'], bad: ['e41c07aa', 'a', '', 'LAST', ' last ', 'web1'] };
const WORDS: Kind = {
  good: [
    ...[
      'human',
      'json',
      'jsonl',
      'failed',
      'changed,failed',
      'unchanged',
      'stale',
      'nightly',
      'wait',
      'skip',
    ],
    ...[
      'agent',
      'controller',
      'p256',
      'rsa',
      'bash',
      'zsh',
      'outcomes',
      'jobs',
      'production',
      'nodes[certname] {}',
    ],
  ],
  bad: ['xml', '../x', 'nodes {', 'last'],
};

/** Of any kind: for what is none of the above. */
const ODD = [
  ...[
    '',
    ' ',
    '\t',
    '\n',
    'a\nb',
    '-',
    '--',
    '---',
    '=',
    '--=',
    '-=x',
    '%s',
    '$HOME',
    '`id`',
    '\\',
    "'",
    '"',
  ],
  ...[
    'null',
    'true',
    '{}',
    '[]',
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    '\u001b[2J',
    '\u001b[5mblink',
    '\u009b2J',
    '\u202e',
  ],
  ...[
    '\u2028',
    '\ufeff',
    '\ud800',
    '😀',
    '東京',
    'é',
    'İ',
    'x'.repeat(100_000),
    '\u001b'.repeat(5000),
    '(('.repeat(1000),
  ],
];

export const all = (values: readonly string[]) => fc.constantFrom(...values);

const of = ({ good, bad }: Kind) =>
  fc.oneof({ weight: 5, arbitrary: all(good) }, { weight: 1, arbitrary: all(bad) });

export const odd: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: all(ODD) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: all(PLACES) },
  {
    weight: 1,
    arbitrary: all([NUMBERS, TIMES, SHARES, WORDS].flatMap(({ good, bad }) => [...good, ...bad])),
  },
);

export const hosts: fc.Arbitrary<string> = fc.oneof(
  { weight: 12, arbitrary: of(HOSTS) },
  { weight: 2, arbitrary: fc.array(of(HOSTS), { maxLength: 6 }).map((some) => some.join(',')) },
  { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'ab1@[]-,!&^*?" '), maxLength: 30 }) },
  { weight: 1, arbitrary: odd },
);

/** By the placeholder in an option's flags: `--pause <time>`. */
const BY_PLACEHOLDER: Readonly<Record<string, fc.Arbitrary<string>>> = {
  n: of(NUMBERS),
  percent: of(SHARES),
  time: of(TIMES),
  hosts,
  host: hosts,
  condition: of(FACTS),
  file: fc.oneof(fc.constant('@NODES@'), all(PLACES)),
  dir: all(PLACES),
  job: of(JOBS),
};

/** A value for it: mostly of its kind, which need not be a good one. */
export function valueFor(placeholder: string): fc.Arbitrary<string> {
  const ofKind = BY_PLACEHOLDER[placeholder] ?? of(WORDS);
  return fc.oneof({ weight: 10, arbitrary: ofKind }, { weight: 1, arbitrary: odd });
}
