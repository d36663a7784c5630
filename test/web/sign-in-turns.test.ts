/** Passwords are checked one after another, and who guesses many keeps nobody waiting. */
import { expect, test } from 'vitest';
import { createSignInTurns } from '../../src/web/server/http/sign-in-turns.ts';
import { deferred } from '../support/deferred.ts';

function openTurns() {
  const turns = createSignInTurns({ now: () => 0, monotonic: () => 0 });
  const order: string[] = [];
  const refused: string[] = [];
  const attempt = (what: string, address: string, { isKnown = false, isRight = false } = {}) =>
    turns
      .take({ address, isKnown }, async () => {
        order.push(what);
        return isRight ? what : undefined;
      })
      .catch((error: { code: string }) => void refused.push(`${what} ${error.code}`));
  /** Until it is let go, all others wait. */
  const hold = () => {
    const held = deferred();
    void turns.take({ address: '192.0.2.99', isKnown: false }, async () => {
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
