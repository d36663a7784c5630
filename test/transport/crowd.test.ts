/** Whoever has the most makes room: a crowd of connections beside the plainest one that can be written. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Crowd } from '../../src/transport/guard/crowd.ts';

type Change = { member: number; group: string | undefined };

const change: fc.Arbitrary<Change> = fc.record({
  member: fc.nat({ max: 12 }),
  group: fc.constantFrom('a', 'b', 'c', 'd', undefined),
});

test('the oldest of a largest group is named, of those with more than they may keep if there is one', () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.nat({ max: 4 }), (changes, keptByA) => {
      const crowd = new Crowd<number>();
      const plain: { member: number; group: string }[] = [];
      for (const { member, group } of changes) {
        const at = plain.findIndex((one) => one.member === member);
        if (at >= 0) plain.splice(at, 1);
        if (group === undefined) expect(crowd.delete(member)).toBe(at >= 0);
        else {
          crowd.add(member, group);
          plain.push({ member, group });
        }
        expect(crowd.size).toBe(plain.length);
        const kept = (name: string) => (name === 'a' ? keptByA : 0);
        const sizeOf = (name: string) => plain.filter((one) => one.group === name).length;
        const sizes = ['a', 'b', 'c', 'd'].map((name) => (sizeOf(name) > kept(name) ? sizeOf(name) : 0));
        const named = crowd.oldestOfLargest(kept);
        if (plain.length === 0) expect(named).toBeUndefined();
        else {
          const theirs = plain.find((one) => one.member === named)?.group ?? '';
          expect(plain.find((one) => one.group === theirs)?.member).toBe(named);
          const most = Math.max(...sizes);
          expect(most === 0 ? theirs : sizeOf(theirs)).toBe(most === 0 ? 'a' : most);
        }
      }
    }),
  );
});
