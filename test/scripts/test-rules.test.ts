/** Tests read like a specification: each folder and each file says what it holds, and none waits by a limit of its own. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { functionsOf } from '../../scripts/functions.ts';
import { MAX_FILE_LINES, MAX_FUNCTION_LINES } from '../../scripts/layer-rules.ts';
import { ROOT } from '../../tools/program.ts';

const TESTS = join(ROOT, 'test');

function filesBelow(folder: string): { path: string; text: string }[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') }));
}

const files = [...filesBelow(TESTS), ...filesBelow(join(ROOT, 'tools'))];
const tests = files.filter(({ path }) => path.endsWith('.test.ts'));
const pathsOf = (list: readonly { path: string }[]) => list.map(({ path }) => path);

test('each folder with tests has a README that says what they hold', () => {
  const folders = [...new Set(tests.map(({ path }) => path.split('/').slice(0, 2).join('/')))];
  expect(folders.length).toBeGreaterThan(10);
  expect(folders.filter((folder) => !existsSync(join(ROOT, folder, 'README.md')))).toEqual([]);
});

test('each file of tests begins with what it holds', () => {
  expect(pathsOf(tests.filter(({ text }) => !text.startsWith('/**')))).toEqual([]);
});

test('no test has a time limit of its own: they are in vitest.config.ts', () => {
  const limit = /\btimeout: [\d_]+,?\s*\}, (?:async )?\(|^\}, [\d_]+\);$/m;
  expect(pathsOf(tests.filter(({ text }) => limit.test(text)))).toEqual([]);
});

test(`files have ${MAX_FILE_LINES} lines at most, functions ${MAX_FUNCTION_LINES}, or a reason`, () => {
  const reason = /\bLong because\b/;
  const long = files.flatMap(({ path, text }) => {
    const lines = text.split('\n');
    const count = lines.length - 1;
    const functions = functionsOf(text)
      .filter((one) => one.lines > MAX_FUNCTION_LINES && one.name !== 'describe')
      .filter((one) => !reason.test(lines.slice(Math.max(0, one.line - 6), one.line + 4).join('\n')))
      .map((one) => `${path}:${one.line}: ${one.name} has ${one.lines} lines`);
    const isLong = count > MAX_FILE_LINES && !reason.test(lines.slice(0, 12).join('\n'));
    return isLong ? [`${path} has ${count} lines`, ...functions] : functions;
  });
  expect(long).toEqual([]);
});

test('nothing waits in its own process for a kick that asks the agents of that process', () => {
  const isStuck = (text: string) => /import \{[^}]*\brealSite\b/.test(text) && /\bkickNow\(/.test(text);
  expect(pathsOf(tests.filter(({ text }) => isStuck(text)))).toEqual([]);
});
