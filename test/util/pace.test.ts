/** Connections are made a few at a time. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { createPace } from '../../src/util/pace.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

test('whoever is silent makes room for the next, whoever has left makes room once', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
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
  vi.advanceTimersByTime(30);
  await e; // nobody leaves: their time is over
  expect(inside).toEqual(['a', 'b', 'c', 'd', 'e']);
});
