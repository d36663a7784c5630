/**
 * How many passwords may be tried. A name is guessed by few from one place, and by somewhat more from all places together
 * where its person has never signed in: whoever tries them on purpose locks the name for strangers, and not for its person.
 */
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { addressGroup } from '../../../util/address-group.ts';
import { ApiProblem } from '../../api/problem.ts';
import type { KnownPlaces } from '../access/known-places.ts';

/** Failed attempts in fifteen minutes. */
const WINDOW_S = 15 * 60;
const BY_NAME_HERE = 10;
const BY_NAME_ELSEWHERE = 50;
const BY_ADDRESS = 50;

interface Attempt {
  name: string;
  address: string;
}

export interface SignInLimits {
  /** Counts an attempt, before it is checked: many at once are many attempts. Throws `ApiProblem` `too-many-requests`. */
  count(attempt: Attempt): Promise<void>;
  /** It was the right password. */
  forget(attempt: Attempt): Promise<void>;
}

export function createSignInLimits(places: KnownPlaces): SignInLimits {
  const limiter = (keyPrefix: string, points: number) =>
    new RateLimiterMemory({ points, duration: WINDOW_S, keyPrefix });
  const byAddress = limiter('address', BY_ADDRESS);
  const here = limiter('here', BY_NAME_HERE);
  const elsewhere = limiter('elsewhere', BY_NAME_ELSEWHERE);
  const keyOf = ({ name, address }: Attempt) => `${addressGroup(address)} ${name}`;
  return {
    async count(attempt) {
      await consume(byAddress, addressGroup(attempt.address));
      await consume(here, keyOf(attempt));
      if (!(await places.isKnown(attempt.name, attempt.address))) await consume(elsewhere, attempt.name);
    },
    async forget(attempt) {
      await byAddress.reward(addressGroup(attempt.address), 1);
      await here.delete(keyOf(attempt));
      // What others have tried still counts.
      if (!(await places.isKnown(attempt.name, attempt.address))) await elsewhere.reward(attempt.name, 1);
      await places.note(attempt.name, attempt.address);
    },
  };
}

/** Throws `ApiProblem` `too-many-requests`. */
export async function consume(limiter: RateLimiterMemory, key: string): Promise<void> {
  try {
    await limiter.consume(key);
  } catch (refused) {
    if (!(refused instanceof RateLimiterRes)) throw refused;
    throw new ApiProblem('too-many-requests', 'too many attempts to sign in', {
      retryAfter: Math.ceil(refused.msBeforeNext / 1000),
    });
  }
}
