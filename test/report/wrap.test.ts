/** Text by columns of a terminal: measured, cut and wrapped. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wrapLine, wrapText } from '../../src/report/wrap.ts';
import { clipColumns, columnsOf, linesIn, padColumns } from '../../src/util/columns.ts';

test.each([
  ['plain', 5],
  ['größer', 6],
  ['e\u0301', 1],
  ['日本', 4],
  ['한글', 4],
  ['ｆｕｌｌ', 8],
  ['ﾊﾝｶｸ', 4],
  ['🚀x', 3],
  ['\u001b[1;31mred\u001b[0m', 3],
  ['…█░', 3],
])('%j takes %i columns', (text, columns) => {
  expect(columnsOf(text)).toBe(columns);
});

test('text is cut and padded by columns', () => {
  expect(clipColumns('日本語', 6)).toBe('日本語');
  expect(clipColumns('日本語', 5)).toBe('日本…');
  expect(clipColumns('日本語', 4)).toBe('日…');
  expect(clipColumns('abc', 1)).toBe('…');
  expect(clipColumns('abc', 0)).toBe('');
  expect(padColumns('日', 4)).toBe('日  ');
  expect(linesIn('日本語', 5)).toBe(2);
  expect(linesIn('日本語', 3)).toBe(3);
});

test('a line of columns goes on below the last of them that leaves room', () => {
  const line =
    "  web5.example.com  failed  16s  change from 'notrun' to ['0'] failed: '/bin/false' returned 1";
  expect(wrapLine(line, { columns: 64 })).toEqual([
    "  web5.example.com  failed  16s  change from 'notrun' to ['0']",
    "                                failed: '/bin/false' returned 1",
  ]);
});

test('behind a label what goes on stands below its text', () => {
  const line = "  1 host: Exec[nginx -t] failed: '/bin/false' returned 1 instead of one of [0]";
  expect(wrapLine(line, { columns: 60 })).toEqual([
    "  1 host: Exec[nginx -t] failed: '/bin/false' returned 1",
    '          instead of one of [0]',
  ]);
});

test('a word that is longer than a line is broken behind a sign between its parts', () => {
  expect(
    wrapLine('see /etc/puppetlabs/code/environments/production/manifests/site.pp', { columns: 30 }),
  ).toEqual(['see /etc/puppetlabs/code/', '  environments/production/', '  manifests/site.pp']);
  expect(wrapLine('x'.repeat(25), { columns: 10, indent: 2 })).toEqual([
    'x'.repeat(10),
    '  xxxxxxxx',
    '  xxxxxxx',
  ]);
  expect(wrapLine('設定を更新しました', { columns: 8, indent: 0 })).toEqual(['設定を更', '新しまし', 'た']);
});

test('more lines than there may be end in an ellipsis', () => {
  expect(wrapLine('one two three four', { columns: 9, indent: 0, maxLines: 1 })).toEqual(['one two…']);
});

test('no line is longer than the window, and no word is lost', () => {
  const word = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.constantFrom('日本語のログ', '\u001b[31mred\u001b[0m', '  '),
  );
  fc.assert(
    fc.property(fc.array(word), fc.integer({ min: 4, max: 100 }), (words, columns) => {
      const line = words.join(' ').replaceAll(/[\n\r]/g, '');
      const lines = wrapLine(line, { columns });
      for (const one of lines)
        expect(columnsOf(one)).toBeLessThanOrEqual(
          Math.max(columns, columnsOf(line.trimEnd()) <= columns ? columnsOf(one) : 0),
        );
      const without = (text: string) => text.replaceAll(' ', '');
      expect(without(lines.join(''))).toBe(without(line));
    }),
  );
});

test('lines that fit stay as they are', () => {
  const text = '  a   b\n\n  c  \n';
  expect(wrapText(text, 20)).toBe(text);
});
