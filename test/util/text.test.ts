/** What is made of text where it leaves: nothing unsafe is left, nothing harmless is touched. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expositionText } from '../../src/util/exposition.ts';
import { clipLines, safeColoured, safeJson, safeJsonText, safeLines, safeText } from '../../src/util/text.ts';
import { HOSTILE, hostileIn } from '../support/hostile-text.ts';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.constantFrom(...HOSTILE, 'a', '\n', '\ud83d', '\ude00', '❤\ufe0f', 'ü'))
    .map((all) => all.join('')),
);

test('nothing unsafe is left, whatever the text', () => {
  fc.assert(
    fc.property(text, (given) => {
      expect(hostileIn(safeText(given))).toEqual([]);
      expect(safeText(given)).not.toContain('\n');
      expect(hostileIn(safeLines(given))).toEqual([]);
      expect(hostileIn(safeJson({ given }))).toEqual([]);
      expect(JSON.parse(safeJson({ given }, 2))).toEqual({ given });
      expect(safeLines(safeText(given))).toBe(safeText(given));
    }),
  );
});

test('harmless text of any script stays as it is, with its emoji', () => {
  for (const harmless of ['plain', 'Größe 東京 שלום العربية', '❤\ufe0f😀', '█░…', 'a\\x1bb']) {
    expect(safeText(harmless)).toBe(harmless);
    expect(safeJsonText(JSON.stringify(harmless))).toBe(JSON.stringify(harmless));
  }
  expect(safeText('a\tb\u009b\u202e\ud800')).toBe('a b\\x9b\\u{202e}\\u{d800}');
});

test('colours stay where they are wanted, and no other sequence', () => {
  const coloured = '\u001b[31mred\u001b[0m';
  expect(safeColoured(`${coloured}\n`)).toBe(`${coloured}\n`);
  expect(safeLines(coloured)).toBe('\\x1b[31mred\\x1b[0m');
  for (const other of [
    '\u001b[2J',
    '\u001b[1;31m',
    '\u001b[31',
    '\u001b[5m',
    '\u001b[8m',
    '\u001b[40m',
    '\u009b31m',
    '\u001b]0;t\u0007',
  ])
    expect(hostileIn(safeColoured(other))).toEqual([]);
});

test('long lines lose their middle', () => {
  expect(clipLines('short\nlines', 100)).toBe('short\nlines');
  const clipped = clipLines(`${'a'.repeat(10_000_000)}end\nx`, 100);
  expect(clipped).toBe(`${'a'.repeat(74)}…${'a'.repeat(22)}end\nx`);
  expect(hostileIn(clipLines('😀'.repeat(100), 41))).toEqual([]);
});

test("labels of metrics are one line of Prometheus' format", () => {
  const family = (name: string) =>
    expositionText([{ name: 'x', help: 'h', type: 'gauge', samples: [{ labels: { name }, value: 1 }] }]);
  for (const name of HOSTILE) {
    const lines = family(name).split('\n');
    expect(lines).toHaveLength(4);
    expect(hostileIn(lines[2] ?? '')).toEqual([]);
  }
  expect(family('a"\\\n\u009b')).toContain('x{name="a\\"\\\\\\n\\\\x9b"} 1\n');
});
