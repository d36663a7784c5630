/** The pictures of the page: shown, small, and none that nobody sees. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../../tools/program.ts';

const MAX_BYTES = 150_000;
const MAX_BYTES_IN_ALL = 400_000;

test('docs/web.md shows every picture of docs/pictures, in both themes, and no other; all are small', () => {
  const folder = join(ROOT, 'docs', 'pictures');
  const there = readdirSync(folder).sort();
  const page = readFileSync(join(ROOT, 'docs', 'web.md'), 'utf8');
  const shown = [...page.matchAll(/(?:src|srcset)="pictures\/([^"]+)"/g)].map(([, name]) => name);
  expect(shown.sort()).toEqual(there);
  expect(there.filter((name) => name.endsWith('-dark.webp'))).toHaveLength(there.length / 2);
  const sizes = there.map((name) => statSync(join(folder, name)).size);
  expect(Math.max(...sizes)).toBeLessThan(MAX_BYTES);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MAX_BYTES_IN_ALL);
});
