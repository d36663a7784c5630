/** Puppet's reports are what Ruby's YAML writes: what we read of them, against Ruby itself. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { readReport } from '../../src/agent/puppet/report.ts';
import { resourcesOf } from '../../src/agent/puppet/report-resources.ts';
import { RubyFloat, rubyScalar } from '../../src/util/ruby-scalar.ts';
import { clip } from '../../src/util/text.ts';
import { throwawayFolder } from '../../tools/throwaway-folder.ts';

type Meaning = [kind: string, value: unknown];

interface Answer {
  /** Null: Psych itself cannot read it. */
  scalars: (Meaning | null)[];
  reports: string[];
  values: [report: string, text: string | null][];
}

const NUMBERLIKE = fc.string({
  unit: fc.constantFrom(...'0123456789_,.:+-eExXabfoZTt '),
  minLength: 1,
  maxLength: 12,
});
const WORDS = fc.constantFrom(
  ...[
    'yes',
    'No',
    'ON',
    'off',
    'y',
    'n',
    'Y',
    'true',
    'False',
    'null',
    'NULL',
    '~',
    'nul',
    '<<',
    '=',
    '-',
    '?',
    ':',
  ],
  ...[
    '.inf',
    '-.INF',
    '+.inf',
    '.nan',
    '.',
    '+.',
    '08',
    '010',
    '0o7',
    '0x1F',
    '0b11',
    '1_000',
    '1,000',
    '-0',
    '-0.0',
  ],
  ...[
    '4187e02',
    '1e5',
    '1.5e+300',
    '1.e+20',
    '.5e-7',
    '12345678901234567890',
    '0.1',
    '1:30',
    '-1:30:05',
    '1:30.5',
  ],
  ...[
    '2026-11-23',
    '2026-1-2',
    '2026-02-30',
    '2026-11-23 14:33:16',
    '2026-11-23T14:33:16.25+05:30',
    ':a',
    '::b',
    ':"c"',
  ],
);
const SCALARS = fc.oneof(NUMBERLIKE, NUMBERLIKE, WORDS, fc.string({ minLength: 1, maxLength: 8 }));
const PIECES = fc.oneof(
  fc.constantFrom(
    ...[
      ' ',
      '\n',
      '  ',
      '\n\n',
      '\t',
      '\r',
      '\r\n',
      ': ',
      ' #',
      "'",
      '"',
      '\\',
      '- ',
      '&a ',
      '*b',
      '!c ',
      '|',
      '>',
      '%',
    ],
    ...[
      '\0',
      '\u0007',
      '\u007f',
      '\u0085',
      '\u00a0',
      '\u2028',
      '\u2029',
      '\ufeff',
      'ü',
      '日本',
      '😀',
      '{',
      '}',
      '[',
      ']',
      '?',
    ],
    ...['status: failed', '\nstatus: failed', '---', '\n---\n', '\n...\n', '    failed: false\n'],
  ),
  fc.string({ unit: fc.constantFrom(...'abcdefghij klmno'), maxLength: 90 }),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  SCALARS,
);
const TEXTS = fc
  .array(PIECES, { maxLength: 24 })
  .map((pieces) => pieces.join(''))
  .filter((text) => Buffer.from(text).toString() === text);
const VALUES = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean());

const scalars = fc.sample(SCALARS, 8000);
const texts = fc.sample(TEXTS, 1500);
const values = fc.sample(VALUES, 200);
const folder = throwawayFolder();
let answer: Answer;

beforeAll(() => {
  const program = join(import.meta.dirname, 'ruby-yaml.rb');
  const input = JSON.stringify({ scalars, texts, values });
  const out = execFileSync('ruby', [program], { input, encoding: 'utf8', maxBuffer: 1 << 29 });
  answer = JSON.parse(out) as Answer;
});

function meaningOf(text: string): Meaning {
  const value = rubyScalar(text);
  if (typeof value === 'string') return ['text', value];
  if (value instanceof RubyFloat) return ['float', String(value)];
  if (value instanceof Date) return ['time', value.getTime()];
  return typeof value === 'number' || typeof value === 'bigint'
    ? ['integer', String(value)]
    : ['word', value];
}

/** Zero to Psych before 5.1, and text to newer ones. */
const DISPUTED = /^[-+]?0[_,]+$/;

test('a scalar means what it means to Ruby, thousands of times', () => {
  for (const [index, text] of scalars.entries()) {
    const told = answer.scalars[index];
    if (told === null || DISPUTED.test(text)) continue;
    expect(meaningOf(text), JSON.stringify(text)).toEqual(told);
  }
  const kinds = new Set(answer.scalars.map((told) => told?.[0]));
  expect([...kinds].filter(Boolean).sort()).toEqual(['float', 'integer', 'text', 'time', 'word']);
});

async function read(report: string) {
  const path = join(folder.path, 'report.yaml');
  writeFileSync(path, report);
  const events = await resourcesOf(path);
  return { head: await readReport(path), resources: events.flatMap(({ resources }) => resources) };
}

/** Lines that end with one of YAML 1.1's other breaks and with `\n`: we may read a blank more, or one break too many. */
const MIXED = /\n.*[\u0085\u2028\u2029]$|[\u0085\u2028\u2029]\n/s;

test('a report is read whatever text stands in it, and the text is the same', async () => {
  for (const [index, text] of texts.entries()) {
    const report = answer.reports[index] ?? '';
    const { head, resources } = await read(report);
    const word = clip(text, 256);
    expect(head, report).toMatchObject({
      ...{ status: 'changed', transaction_completed: true, job_id: 'run', corrective_change: false },
    });
    expect(resources, report).toHaveLength(2);
    expect(resources[1]?.resource, report).toBe('File[after]');
    if (MIXED.test(text)) continue;
    expect(head, report).toMatchObject({
      ...{ configuration_version: word, environment: word, server_used: word, code_id: word },
    });
    const event = { property: 'content', status: 'failure', message: clip(text, 512) };
    expect(resources[0], report).toMatchObject({
      ...{ resource: clip(`File[${text}]`, 512), line: 7, corrective: true },
      // Code that lies in no file has an empty one.
      ...(text !== '' && { file: clip(text, 1024) }),
      events: [event, event],
    });
  }
});

test('a value that is no text is told as Ruby tells it', async () => {
  for (const [index, value] of values.entries()) {
    const [report = '', text = null] = answer.values[index] ?? [];
    const { head, resources } = await read(report);
    const word = text ?? String(value);
    expect(head?.server_used, report).toBe(word);
    expect(resources[0]?.events[0]?.old, report).toBe(word);
  }
});
