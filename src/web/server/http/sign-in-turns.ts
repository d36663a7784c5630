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
/** If more than these wait where their person has signed in before, they make room, else strangers do. */
const MAX_KNOWN_WAITING = MAX_WAITING / 2;
/** After as many checks for people where they are known, it is a stranger's turn. */
const KNOWN_IN_A_ROW = 3;
/** More count no more. */
const MANY_FAILURES = 8;
const RETRY_S = 5;

interface Waiting {
  begin(): void;
  refuse(problem: ApiProblem): void;
}

export interface Attempt {
  name: string;
  address: string;
  /** Whether their person has signed in there before. */
  isKnown: boolean;
}

export interface SignInTurns {
  /**
   * Does the work alone. Three of four checks are for attempts from where their person has signed in before, if any wait: first
   * whoever has been checked there least of late. Of the others, addresses with the fewest wrong passwords come first. Attempts
   * that wait count as well, and of equals the newest comes first. `work` returns undefined for a wrong password. Throws
   * `ApiProblem` `unavailable` if too many wait.
   */
  take<T>(attempt: Attempt, work: () => Promise<T | undefined>): Promise<T | undefined>;
}

export function createSignInTurns(clock: Clock): SignInTurns {
  /** Wrong passwords by address; by person and address, where they are known, all checks: right passwords cost as much. */
  const book = new AddressBook(clock);
  const [known, others] = [new Crowd<Waiting>(), new Crowd<Waiting>()];
  let knownInARow = 0;
  let isTaken = false;

  const groupOf = ({ name, address, isKnown }: Attempt) =>
    isKnown ? `${addressGroup(address)} ${name}` : addressGroup(address);

  const bestOf = (crowd: Crowd<Waiting>) =>
    crowd.newestOfBest((group) => Math.min(book.failures(group) + crowd.sizeOf(group), MANY_FAILURES));

  function next(): void {
    const [first, second] = knownInARow < KNOWN_IN_A_ROW ? [known, others] : [others, known];
    const waiting = bestOf(first) ?? bestOf(second);
    isTaken = waiting !== undefined;
    if (waiting === undefined) return;
    knownInARow = known.delete(waiting) ? knownInARow + 1 : 0;
    others.delete(waiting);
    waiting.begin();
  }

  function turn(attempt: Attempt): Promise<void> {
    return new Promise((resolve, reject) => {
      (attempt.isKnown ? known : others).add({ begin: resolve, refuse: reject }, groupOf(attempt));
      if (known.size + others.size > MAX_WAITING) {
        const crowd = known.size > MAX_KNOWN_WAITING ? known : others;
        const victim = crowd.oldestOfLargest();
        if (victim !== undefined) crowd.delete(victim);
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
        if (attempt.isKnown || found === undefined) book.fail(groupOf(attempt));
        return found;
      } finally {
        next();
      }
    },
  };
}
