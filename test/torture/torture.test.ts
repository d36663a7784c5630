/** DESIGN 4: the promises of an agent hold against kill -9 at any moment. `KICK_TEST_ROUNDS=1000` tries for longer. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { torture } from './torture.ts';

const rounds = Number(process.env['KICK_TEST_ROUNDS'] ?? 20);
const seed = fc.readConfigureGlobal().seed ?? Date.now() % 1_000_000;

test(`an agent keeps its promises through ${rounds} rounds of kill -9 (seed ${seed})`, async () => {
  const result = await torture(rounds, seed);
  expect(result.kills.agent).toBeGreaterThan(0);
  expect(Object.values(result.outcomes).reduce((a, b) => a + b, 0)).toBe(result.accepted);
  expect(result.runs).toBeGreaterThan(0);
});
