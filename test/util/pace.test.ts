/** The event loop is never held up for long: starts in small helpings, connections a few at a time. */
import { expect, test } from 'vitest';
import { createPace } from '../../src/util/pace.ts';
import { createTurns } from '../../src/util/turns.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('of many who come at once, so many go on in each turn of the event loop, in their order', async () => {
  const turn = createTurns(3);
  const gone: number[] = [];
  for (let i = 0; i < 8; i++) void turn().then(() => gone.push(i));
  const counts: number[] = [];
  for (let i = 0; i < 4; i++) {
    await Promise.resolve();
    counts.push(gone.length);
    await nextTurn();
  }
  expect(counts).toEqual([3, 6, 8, 8]);
  expect(gone).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  // It is at rest, and begins anew.
  void turn().then(() => gone.push(8));
  await Promise.resolve();
  expect(gone).toHaveLength(9);
});

test('whoever is silent makes room for the next, whoever has left makes room once', async () => {
  const pace = createPace({ atOnce: 2, roomAfterMs: 30 });
  const inside: string[] = [];
  const enter = (name: string) =>
    pace.enter().then((leave) => {
      inside.push(name);
      return leave;
    });
  const [leaveA] = [await enter('a'), await enter('b')];
  const c = enter('c');
  void enter('d');
  const e = enter('e');
  await nextTurn();
  expect(inside).toEqual(['a', 'b']);
  leaveA();
  leaveA();
  await c;
  expect(inside).toEqual(['a', 'b', 'c']);
  await e; // nobody leaves: their time is over
  expect(inside).toEqual(['a', 'b', 'c', 'd', 'e']);
});
