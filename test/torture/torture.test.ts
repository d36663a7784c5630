import { expect, test } from 'vitest';
import { torture } from './torture.ts';

test('rounds of kill -9 break no promise (a short version of torture.ts)', async () => {
  const result = await torture(20, Date.now() % 1_000_000, () => {});
  expect(result.kills.agent).toBeGreaterThan(0);
  expect(Object.values(result.outcomes).reduce((a, b) => a + b, 0)).toBe(result.accepted);
  expect(result.runs).toBeGreaterThan(0);
});
