/** Long lists of names are read without YAML's parser: to the same value. */
import fc from 'fast-check';
import { CORE_SCHEMA, constructFromEvents, parseEvents } from 'js-yaml';
import { expect, test } from 'vitest';
import { putPlainLines, takePlainLines } from '../../src/config/plain-lines.ts';
import { rubyDocumentSchema } from '../../src/config/ruby-document.ts';

const RUBY = await rubyDocumentSchema();

const parse = (source: string, schema = CORE_SCHEMA) =>
  constructFromEvents(parseEvents(source, {}), { source, schema, maxAliases: 100 });

/** The value by way of the shortened text; `whole` where that cannot be. */
function shortened(text: string, schema = CORE_SCHEMA): unknown[] | 'whole' {
  const short = takePlainLines(text, 2);
  if (short === undefined) return 'whole';
  try {
    const documents = parse(short.text, schema);
    return putPlainLines(documents, short.lists) ? documents : 'whole';
  } catch {
    return 'whole';
  }
}

const item = fc.constantFrom(
  ...['web1', 'web2.example.com', 'db-1', 'n_1', 'a.b', 'E1', 'y-', 'x..y', 'null', 'true', 'yes', 'NaN'],
  ...['1', '1e5', '0x1f', '2020-01-01', '~', '.inf', '1.5', '"q1"', "'q2'", 'a: b', 'a #c', '&a x1', '*a'],
  ...['- web1', '[x1, x2]', '{name: x1}', '|', '>', '"open', "'open", 'x1:', '!!str 1', '!t x1', '? x1', ''],
);
const indent = fc.constantFrom('', '  ', '    ', '   ', '\t');
const line = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(indent, item).map(([space, text]) => `${space}- ${text}`) },
  {
    weight: 4,
    arbitrary: fc.tuple(indent, fc.constantFrom('a1', 'b.c', 'c-d')).map((all) => all.join('- ')),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        indent,
        fc.constantFrom('targets:', 'more: &a', 'name: x1', 'text: |', 'text: "', 'list: [', 'x: *a'),
      )
      .map((all) => all.join('')),
  },
  fc
    .tuple(indent, fc.constantFrom('plain', '# comment', '', '"', ']', '---', '...'))
    .map((all) => all.join('')),
);
/** A line again and again: what a stretch is made of. */
const stretch = fc.tuple(line, fc.integer({ min: 1, max: 4 })).map(([one, times]) => Array(times).fill(one));
const document = fc
  .tuple(
    fc.array(stretch, { maxLength: 6 }),
    fc.constantFrom('\n', '\n', '\n', '\r\n'),
    fc.constantFrom('', '\n'),
  )
  .map(([lines, newline, end]) => lines.flat().join(newline) + end);

test.each([
  ['1.2', CORE_SCHEMA],
  ['of Ruby', RUBY],
])('what is read without YAML is what YAML %s reads', (_which, schema) => {
  let without = 0;
  fc.assert(
    fc.property(document, (text) => {
      const value = shortened(text, schema);
      if (value === 'whole') return;
      without += 1;
      expect(value).toEqual(parse(text, schema));
    }),
    { numRuns: 20_000 },
  );
  expect(without).toBeGreaterThan(500);
});

const names = ['web1', 'web2.example.com', 'db-3'];
const lines = (space: string) => names.map((name) => `${space}- ${name}\n`).join('');

test.each([
  ['a list of its own', lines('')],
  ['a list of a key', `targets:\n${lines('  ')}groups: []\n`],
  ['a list as deep as its key', `targets:\n${lines('')}`],
  ['among other items', `- name: x\n${lines('')}- 7\n`],
  ['two lists', `a:\n${lines('  ')}b:\n  - c:\n${lines('    ')}`],
  ['a list that has an alias', `a: &a\n${lines('  ')}b: *a\n`],
])('%s is read without YAML', (_what, text) => {
  expect(shortened(text)).toEqual(parse(text));
});

test.each([
  ['in a block of text', `a: |\n${lines('  ')}`],
  ['in quotes', `a: "\n${lines('  ')}"\n`],
  ['after a value', `a: b\n${lines('  ')}`],
  ['that goes on in the next line', `${lines('')}  more\n`],
  ['as a key', `? \n${lines('  ')}: x\n`],
  ['beside a mark of ours', `- kick-plain-lines.0\n${lines('')}`],
  ['with words that may mean something else', '- true\n- null\n- 12\n- 1e5\n- nan\n'],
])('%s it is for YAML', (_what, text) => {
  expect(shortened(text)).toBe('whole');
});
