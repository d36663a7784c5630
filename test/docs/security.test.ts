/** docs/security.md: every promise has a number of its own and names the tests that hold it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readDocument } from '../../scripts/docs.ts';
import { ROOT } from '../../tools/program.ts';

interface PromiseRow {
  number: string;
  text: string;
  /** Paths from the root of the checkout. */
  tests: readonly string[];
}

/** Sections of promises by their letter. */
function promises(): Map<string, PromiseRow[]> {
  const sections = readDocument('docs/security.md').split(/^## /m);
  return new Map(
    sections.flatMap((section) => {
      const letter = /^([A-Z]): /.exec(section)?.[1];
      return letter === undefined ? [] : [[letter, rowsOf(section)]];
    }),
  );
}

function rowsOf(section: string): PromiseRow[] {
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) => {
    const [, number = '', text = '', held = ''] = row.split('|').map((cell) => cell.trim());
    return { number, text, tests: [...held.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, path = '']) => path) };
  });
}

test('every promise names a file of tests, and each file has tests', () => {
  for (const { number, text, tests } of [...promises().values()].flat()) {
    expect(text, number).not.toBe('');
    expect(tests.length, `${number} names no test`).toBeGreaterThan(0);
    for (const path of tests) {
      expect(path, number).toMatch(/^test\/.*\.test\.ts$/);
      expect(readFileSync(join(ROOT, path), 'utf8'), number).toMatch(/^\s*test\b/m);
    }
  }
});

test('promises have the letter of their section, and numbers that are used once', () => {
  const all = promises();
  expect([...all.keys()]).toEqual(['N', 'H', 'C', 'L', 'U', 'A', 'I', 'W', 'M']);
  for (const [letter, rows] of all) {
    expect(rows.length, letter).toBeGreaterThan(2);
    const numbers = rows.map(({ number }) => number);
    for (const number of numbers) expect(number).toMatch(new RegExp(`^${letter}[1-9]\\d*$`));
    expect(new Set(numbers).size, letter).toBe(numbers.length);
  }
});

test('whatever test the page names exists', () => {
  const named = [...readDocument('docs/security.md').matchAll(/\btest\/[\w/-]+\.test\.ts\b/g)];
  expect(named.length).toBeGreaterThan(50);
  for (const [path] of named) expect(() => readFileSync(join(ROOT, path)), path).not.toThrow();
});
