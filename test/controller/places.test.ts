/** Hosts are begun in small helpings, so that the event loop is never held up for long. */
import { expect, test } from 'vitest';
import { createPlaces } from '../../src/util/semaphore.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('of many who find places at once, 16 get one in each turn of the event loop, in their order', async () => {
  const places = createPlaces(500);
  const { signal } = new AbortController();
  const gone: number[] = [];
  for (let i = 0; i < 40; i++) void places.take(signal).then(() => gone.push(i));
  const counts: number[] = [];
  for (let i = 0; i < 4; i++) {
    await Promise.resolve();
    counts.push(gone.length);
    await nextTurn();
  }
  expect(counts).toEqual([16, 32, 40, 40]);
  expect(gone).toEqual(Array.from({ length: 40 }, (_, i) => i));
  // It is at rest, and begins anew.
  void places.take(signal).then(() => gone.push(40));
  await Promise.resolve();
  expect(gone).toHaveLength(41);
});

test('whoever has no place yet when the job stops gets none, and no place is lost', async () => {
  const places = createPlaces(20);
  const stop = new AbortController();
  const taken = Array.from({ length: 20 }, () => places.take(stop.signal));
  stop.abort();
  const granted = (await Promise.all(taken)).filter(Boolean).length;
  expect(granted).toBe(16);
  await nextTurn();
  const { signal } = new AbortController();
  expect(await Promise.all(Array.from({ length: 4 }, () => places.take(signal)))).toEqual([
    ...[true, true, true, true],
  ]);
});
