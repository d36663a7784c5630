/**
 * How many passwords may be tried. A name is guessed by few from one place, and by somewhat more from all places together
 * where its person has never signed in: whoever tries them on purpose locks the name for strangers, and not for its person.
 */
import { addressGroup } from '../../../util/address-group.ts';
import type { Clock } from '../../../util/clock.ts';
import type { KnownPlaces } from '../access/known-places.ts';
import { createTries, type Tries } from './tries.ts';

/** Failed attempts in fifteen minutes. */
const WITHIN_MS = 15 * 60_000;
const BY_NAME_HERE = 10;
const BY_NAME_ELSEWHERE = 50;
const BY_ADDRESS = 50;

interface Attempt {
  name: string;
  address: string;
}

export interface SignInLimits {
  /**
   * Counts an attempt, before it is checked: many at once are many attempts. Returns what takes it back, except of its address, if
   * it was not checked. Throws `ApiProblem` `too-many-requests`.
   */
  count(attempt: Attempt): Promise<() => void>;
  /** It was the right password. */
  forget(attempt: Attempt): Promise<void>;
}

export function createSignInLimits(places: KnownPlaces, clock: Pick<Clock, 'monotonic'>): SignInLimits {
  const [byAddress, here, elsewhere] = [BY_ADDRESS, BY_NAME_HERE, BY_NAME_ELSEWHERE].map((most) =>
    createTries({ most, withinMs: WITHIN_MS, clock }),
  ) as [Tries, Tries, Tries];
  const keyOf = ({ name, address }: Attempt) => `${addressGroup(address)} ${name}`;
  return {
    async count(attempt) {
      byAddress.count(addressGroup(attempt.address));
      const counted = [here.count(keyOf(attempt))];
      if (!(await places.isKnown(attempt.name, attempt.address))) counted.push(elsewhere.count(attempt.name));
      return () => {
        for (const takeBack of counted) takeBack();
      };
    },
    async forget(attempt) {
      byAddress.giveBack(addressGroup(attempt.address));
      here.forget(keyOf(attempt));
      // What others have tried still counts.
      if (!(await places.isKnown(attempt.name, attempt.address))) elsewhere.giveBack(attempt.name);
      await places.note(attempt.name, attempt.address);
    },
  };
}
