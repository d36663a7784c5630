/** Passwords are checked one after another, and who guesses many keeps nobody waiting. */
import { expect, test } from 'vitest';
import { createSignInTurns } from '../../src/web/server/http/sign-in-turns.ts';
import { deferred } from '../support/deferred.ts';

function openTurns() {
  const turns = createSignInTurns({ now: () => 0, monotonic: () => 0 });
  const order: string[] = [];
  const refused: string[] = [];
  const attempt = (
    what: string,
    address: string,
    { isKnown = false, isRight = false, meanwhile = () => {} } = {},
  ) =>
    turns
      .take({ name: what, address, isKnown }, async () => {
        order.push(what);
        meanwhile();
        return isRight ? what : undefined;
      })
      .catch((error: { code: string }) => void refused.push(`${what} ${error.code}`));
  /** Until it is let go, all others wait. */
  const hold = () => {
    const held = deferred();
    void turns.take({ name: 'held', address: '192.0.2.99', isKnown: false }, async () => {
      await held.promise;
      return 'held';
    });
    return held.resolve;
  };
  return { attempt, order, refused, hold };
}

test('first where their person has signed in before, then the address with the fewest wrong passwords, the newest first', async () => {
  const { attempt, order, hold } = openTurns();
  for (let count = 0; count < 3; count++) await attempt('guess', '198.51.100.1');
  order.length = 0;
  const letGo = hold();
  const all = [
    attempt('alice', '192.0.2.1', { isKnown: true, isRight: true }),
    attempt('guess 1', '198.51.100.1'),
    attempt('bob', '192.0.2.2', { isRight: true }),
    attempt('carol', '192.0.2.3', { isRight: true }),
    attempt('guess 2', '198.51.100.1'),
  ];
  letGo();
  await Promise.all(all);
  expect(order).toEqual(['alice', 'carol', 'bob', 'guess 2', 'guess 1']);
});

test('too many: the oldest of the address with the most is refused, and nobody for being the newest', async () => {
  const { attempt, order, refused, hold } = openTurns();
  const letGo = hold();
  const all = [attempt('alice', '192.0.2.1', { isKnown: true }), attempt('bob', '192.0.2.2')];
  // Of one IPv6 host, whatever its addresses are.
  for (let count = 0; count < 100; count++) all.push(attempt(`guess ${count}`, `2001:db8:0:1::${count}`));
  letGo();
  await Promise.all(all);
  expect(order.slice(0, 2)).toEqual(['alice', 'bob']);
  expect(refused).toEqual(Array.from({ length: 38 }, (_, count) => `guess ${count} unavailable`));
});

test('whoever signs in again and again, with the right password, keeps nobody else from their turn', async () => {
  const { attempt, order, refused, hold } = openTurns();
  const letGo = hold();
  const all = [
    attempt('operator', '192.0.2.1', { isKnown: true, isRight: true }),
    attempt('bob', '192.0.2.2', { isRight: true }),
  ];
  let left = 20;
  const again = () => {
    left -= 1;
    if (left > 0) all.push(viewer());
  };
  const viewer = () => attempt('viewer', '192.0.2.66', { isKnown: true, isRight: true, meanwhile: again });
  // Two, so that one always waits when a check ends.
  all.push(viewer(), viewer());
  letGo();
  for (const one of all) await one;
  // One of four is a stranger's.
  expect(order.slice(0, 5)).toEqual(['operator', 'viewer', 'viewer', 'bob', 'viewer']);
  expect(refused).toEqual([]);
});

test('too many of one person, at an address of theirs: theirs are put out', async () => {
  const { attempt, order, refused, hold } = openTurns();
  const letGo = hold();
  const all = [
    attempt('operator', '192.0.2.1', { isKnown: true, isRight: true }),
    attempt('bob', '192.0.2.2', { isRight: true }),
  ];
  for (let count = 0; count < 100; count++) {
    all.push(attempt('viewer', '192.0.2.66', { isKnown: true, isRight: true }));
  }
  letGo();
  await Promise.all(all);
  expect(order.slice(0, 4).toSorted()).toEqual(['bob', 'operator', 'viewer', 'viewer']);
  expect(refused).toEqual(Array(38).fill('viewer unavailable'));
});
