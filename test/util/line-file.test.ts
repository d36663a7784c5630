/** Lines that are read in chunks, whatever is between them. */
import { constants, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { cutTornLine, type LinesRead, readLines } from '../../src/util/line-file.ts';
import { openOwnFile } from '../../src/util/regular-file.ts';
import { tempFolder } from '../support/temp.ts';

async function file(content: string) {
  const path = join(tempFolder(), 'lines');
  writeFileSync(path, content);
  const handle = await openOwnFile(path, constants.O_RDWR);
  onTestFinished(() => handle.close());
  return { path, handle };
}

test('readLines reads all whole lines, however long they and the chunks are, and none twice', async () => {
  const line = fc.string({ maxLength: 30, unit: fc.constantFrom('a', 'b', 'ü') });
  await fc.assert(
    fc.asyncProperty(fc.array(line), line, fc.integer({ min: 1, max: 40 }), async (lines, torn, chunk) => {
      const { handle } = await file(lines.map((one) => `${one}\n`).join('') + torn);
      const found: LinesRead['lines'] = [];
      for (let from = 0; ; ) {
        const read = await readLines(handle, from, chunk);
        if (read.next === from) break;
        found.push(...read.lines);
        from = read.next;
      }
      const bytes = lines.map((one) => Buffer.byteLength(one));
      expect(found).toHaveLength(lines.length);
      for (const [index, one] of found.entries())
        expect(one).toBe(typeof one === 'number' ? bytes[index] : lines[index]);
      for (const [index, one] of found.entries())
        if (typeof one === 'number') expect(bytes[index]).toBeGreaterThanOrEqual(chunk);
    }),
    { numRuns: 60 },
  );
});

test.each([
  ['', ''],
  ['a\n', 'a\n'],
  ['a\nb', 'a\n'],
  ['b', ''],
  [`a\n${'x'.repeat(1000)}`, 'a\n'],
])('cutTornLine of %j leaves whole lines', async (text, left) => {
  const { path, handle } = await file(text);
  expect(await cutTornLine(handle, 16)).toBe(left.length);
  expect(readFileSync(path, 'utf8')).toBe(left);
});

test('a long hole behind the last line is cut off in pieces', async () => {
  const { path, handle } = await file('{"a":1}\n');
  truncateSync(path, 256 << 20);
  const before = process.memoryUsage().rss;
  expect(await cutTornLine(handle, 1 << 20)).toBe(8);
  expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
});

/** No disk has so much: a file with a hole may. */
const TERABYTE = 2 ** 40;

test('a hole of a terabyte is passed over, and cut off, in a moment', async () => {
  const { path, handle } = await file('{"a":1}\n');
  truncateSync(path, TERABYTE);
  expect(await readLines(handle, 0, 1 << 22)).toEqual({ lines: ['{"a":1}'], next: 8 });
  expect(await readLines(handle, 8, 1 << 22)).toEqual({ lines: [TERABYTE - 9], next: TERABYTE });
  expect(await cutTornLine(handle, 1 << 22)).toBe(8);
  expect(readFileSync(path, 'utf8')).toBe('{"a":1}\n');
});
