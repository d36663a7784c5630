/**
 * Command lines that nobody would think of: none ends in an error of kick itself, in a stack trace, in more than anybody reads,
 * or not at all. `npm run fuzz` does the same for as long as one likes.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fuzz } from '../../tools/fuzz/fuzz.ts';

/** That of generated cases (test/support/generated-cases.ts), or another one. */
const seed = fc.readConfigureGlobal().seed ?? Date.now() % 2 ** 31;

test('no command line is answered by an error of kick itself', async () => {
  const { failure, codes } = await fuzz({ runs: 400, seed });
  expect(failure).toBeUndefined();
  // They reach further than the reading of options.
  expect([...codes.keys()]).toEqual(expect.arrayContaining([0, 2, 3]));
});
