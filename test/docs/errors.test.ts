/** docs/errors.md lists the codes of the source; each of them is one that something really uses. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ERRORS } from '../../src/errors.ts';
import { REFUSALS } from '../../src/protocol/refusal.ts';
import { PROBLEMS } from '../../src/web/api/problem.ts';
import { ROOT } from '../../tools/program.ts';

const LISTS = [
  'errors.ts',
  'protocol/refusal.ts',
  'web/api/problem.ts',
  'transport/https/listener/refusal-status.ts',
];

const source = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !LISTS.includes(path))
  .map((path) => readFileSync(join(ROOT, 'src', path), 'utf8'))
  .join('\n');

test.each([
  ['errors', ERRORS],
  ['refusals', REFUSALS],
  ['problems', PROBLEMS],
])('no code of %s is one that nothing uses', (_, codes) => {
  expect(Object.keys(codes).filter((code) => !source.includes(`'${code}'`))).toEqual([]);
});
