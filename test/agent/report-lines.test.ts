/** Lines of reports of any size, wherever the file's pieces end. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readReport } from '../../src/agent/puppet/report.ts';
import { MAX_LINE, reportLines } from '../../src/agent/puppet/report-lines.ts';
import { tempFolder } from '../support/temp.ts';

async function linesOf(text: string): Promise<string[]> {
  const path = join(tempFolder(), 'report.yaml');
  writeFileSync(path, text);
  const lines: string[] = [];
  for await (const group of reportLines(path, 'utf8')) lines.push(...group);
  return lines;
}

test('the lines are those of the file, with all their characters, though its pieces end anywhere', async () => {
  const line = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((text) => !text.includes('\n'));
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { maxLength: 30 }),
      fc.integer({ min: 1, max: 200 }),
      async (few, times) => {
        // Several of the reader's pieces, which end within lines and within characters.
        const lines = Array.from({ length: times }, () => few).flat();
        expect(await linesOf(lines.map((one) => `${one}\n`).join(''))).toEqual(lines);
      },
    ),
    { numRuns: 30 },
  );
});

test('the last line counts without its end, too, and an empty file has none', async () => {
  expect(await linesOf('a\nb')).toEqual(['a', 'b']);
  expect(await linesOf('')).toEqual([]);
});

test('a line of a million characters is cut, and those after it are read', async () => {
  const lines = await linesOf(`host: a\nlong: ${'x'.repeat(1_000_000)}\nstatus: failed\n`);
  expect(lines.map((line) => line.slice(0, 14))).toEqual(['host: a', 'long: xxxxxxxx', 'status: failed']);
  expect(lines[1]).toHaveLength(MAX_LINE);
});

test('what decides stands behind many resources, and is found', async () => {
  const path = join(tempFolder(), 'report.yaml');
  const resources = Array.from(
    { length: 5000 },
    (_, i) => `  File[/${i}]:\n    failed: false\n    status: failed\n`,
  );
  writeFileSync(
    path,
    `--- !ruby/object:Puppet::Transaction::Report\nstatus: unchanged\nresource_statuses:\n${resources.join('')}cached_catalog_status: not_used\n`,
  );
  expect(await readReport(path)).toMatchObject({ status: 'unchanged', cached_catalog_status: 'not_used' });
});
