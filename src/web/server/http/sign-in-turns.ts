/**
 * Whose password is checked next: one at a time is (access/passwords.ts), and whoever guesses must not keep others waiting.
 * As before TLS, nobody is refused for being the newest.
 */
import { AddressBook } from '../../../transport/guard/address-book.ts';
import { Crowd } from '../../../transport/guard/crowd.ts';
import { addressGroup } from '../../../util/address-group.ts';
import type { Clock } from '../../../util/clock.ts';
import { ApiProblem } from '../../api/problem.ts';

const MAX_WAITING = 64;
/** More count no more. */
const MANY_FAILURES = 8;
const RETRY_S = 5;

interface Waiting {
  begin(): void;
  refuse(problem: ApiProblem): void;
}

export interface Attempt {
  address: string;
  /** Whether their person has signed in there before. */
  isKnown: boolean;
}

export interface SignInTurns {
  /**
   * Does the work alone: attempts from where their person has signed in before come first, then those of addresses with the
   * fewest wrong passwords and waiting attempts, and of these the newest. `work` returns undefined for a wrong password. Throws `ApiProblem`
   * `unavailable` if too many wait.
   */
  take<T>(attempt: Attempt, work: () => Promise<T | undefined>): Promise<T | undefined>;
}

export function createSignInTurns(clock: Clock): SignInTurns {
  const book = new AddressBook(clock);
  /** By the group of their address. */
  const [known, others] = [new Crowd<Waiting>(), new Crowd<Waiting>()];
  let isTaken = false;

  function next(): void {
    const waiting =
      known.newestOfBest(() => 0) ??
      others.newestOfBest((group) => Math.min(book.failures(group) + others.sizeOf(group), MANY_FAILURES));
    isTaken = waiting !== undefined;
    if (waiting === undefined) return;
    for (const crowd of [known, others]) crowd.delete(waiting);
    waiting.begin();
  }

  function turn({ address, isKnown }: Attempt): Promise<void> {
    return new Promise((resolve, reject) => {
      (isKnown ? known : others).add({ begin: resolve, refuse: reject }, addressGroup(address));
      while (known.size + others.size > MAX_WAITING) {
        const victim = others.oldestOfLargest() ?? known.oldestOfLargest();
        for (const crowd of [known, others]) if (victim !== undefined) crowd.delete(victim);
        victim?.refuse(new ApiProblem('unavailable', 'too many sign in', { retryAfter: RETRY_S }));
      }
      if (!isTaken) next();
    });
  }

  return {
    async take(attempt, work) {
      await turn(attempt);
      try {
        const found = await work();
        if (found === undefined) book.fail(addressGroup(attempt.address));
        return found;
      } finally {
        next();
      }
    },
  };
}
