/**
 * Command lines that nobody would think of: none ends in an error of kick itself, in a stack trace, in more than anybody reads,
 * or not at all. `npm run fuzz` does the same for as long as one likes.
 */
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { fuzz } from '../../tools/fuzz/fuzz.ts';
import { tryInProcess } from '../../tools/fuzz/in-process.ts';
import type { Input } from '../../tools/fuzz/input.ts';
import { judge } from '../../tools/fuzz/judge.ts';
import { openWorld } from '../../tools/fuzz/world.ts';

/** That of generated cases (test/support/generated-cases.ts), or another one. */
const seed = fc.readConfigureGlobal().seed ?? Date.now() % 2 ** 31;

const PLAIN: Omit<Input, 'words'> = {
  ...{ inventory: { text: '{}' }, controller: { text: '{}' }, nodes: '', damage: undefined },
  ...{ env: {}, columns: 0, stdin: '' },
};

test('no command line is answered by an error of kick itself', async () => {
  const { failure, codes } = await fuzz({ runs: 400, seed });
  expect(failure).toBeUndefined();
  // They reach further than the reading of options.
  expect([...codes.keys()]).toEqual(expect.arrayContaining([0, 2, 3]));
});

test.each<[string, string, boolean]>([
  ['run -q --format json', '{}', true],
  ['run -q --format json', 'web1: changed', false],
  ['run -qv --format=json', 'web1: changed', false],
  ['run --format jsonl', '{}\n{}\n', true],
  ['run --format jsonl', '{}\nweb1\n', false],
  // There it is a value.
  ['run --lock --format=json', 'web1: changed', true],
  ['run -qn --format=json', 'web1: changed', true],
  ['nodes -- --format json', 'web1', true],
])('judge of what %s prints: %j', (line, out, isWell) => {
  const valueFlags = new Set(['--lock', '--format', '-n']);
  const problems = judge(
    { code: 0, out, err: '' },
    { words: line.split(' '), given: line, color: false, valueFlags },
  );
  expect(problems.length === 0).toBe(isWell);
});

test('a command line that tells the log of the system leaves nothing behind in the process', async () => {
  const world = await openWorld();
  onTestFinished(world.close);
  const input = { ...PLAIN, words: ['run', 'web1', '--syslog'] };
  for (let times = 0; times < 2; times++)
    expect(await tryInProcess(input, world)).toMatchObject({ problems: [] });
});
