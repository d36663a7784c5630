/** Waits that are longer than Node's longest timer. */
import { afterEach, expect, test, vi } from 'vitest';
import { after, sleep } from '../../src/util/clock.ts';

const DAY_MS = 86_400_000;

afterEach(() => void vi.useRealTimers());

test("after and sleep wait longer than Node's longest timer", async () => {
  vi.useFakeTimers();
  let fired = 0;
  after(60 * DAY_MS, () => {
    fired += 1;
  });
  const slept = vi.fn();
  void sleep(60 * DAY_MS).then(slept);
  await vi.advanceTimersByTimeAsync(59 * DAY_MS);
  expect([fired, slept.mock.calls.length]).toEqual([0, 0]);
  await vi.advanceTimersByTimeAsync(DAY_MS);
  expect([fired, slept.mock.calls.length]).toEqual([1, 1]);
});

test('after fires no more once it was prevented, also in a later part of a long time', async () => {
  vi.useFakeTimers();
  const fire = vi.fn();
  const prevent = after(60 * DAY_MS, fire);
  await vi.advanceTimersByTimeAsync(40 * DAY_MS);
  prevent();
  await vi.advanceTimersByTimeAsync(40 * DAY_MS);
  expect(fire).not.toHaveBeenCalled();
});
