/** How often something may be tried in a while, by whoever: of strangers' names and addresses only so many are kept. */
import type { Clock } from '../../../util/clock.ts';
import { ApiProblem } from '../../api/problem.ts';

/** The oldest are forgotten first; as many more tries cost more than they give. */
const MAX_KEYS = 50_000;

export interface TriesOptions {
  most: number;
  /** Milliseconds from the first. */
  withinMs: number;
  clock: Pick<Clock, 'monotonic'>;
}

export interface Tries {
  /** Throws `ApiProblem` `too-many-requests`. */
  count(key: string): void;
  /** One that does not count. */
  giveBack(key: string): void;
  forget(key: string): void;
}

export function createTries({ most, withinMs, clock }: TriesOptions): Tries {
  /** In the order of their first. */
  const known = new Map<string, { count: number; endsAt: number }>();

  function current(key: string) {
    const found = known.get(key);
    if (found !== undefined && clock.monotonic() < found.endsAt) return found;
    const begun = { count: 0, endsAt: clock.monotonic() + withinMs };
    known.delete(key);
    known.set(key, begun);
    for (const [oldest, { endsAt }] of known) {
      if (known.size <= MAX_KEYS && clock.monotonic() < endsAt) break;
      known.delete(oldest);
    }
    return begun;
  }

  return {
    count(key) {
      const found = current(key);
      found.count += 1;
      if (found.count <= most) return;
      throw new ApiProblem('too-many-requests', 'too many attempts to sign in', {
        retryAfter: Math.ceil((found.endsAt - clock.monotonic()) / 1000),
      });
    },
    giveBack(key) {
      const found = known.get(key);
      if (found !== undefined) found.count -= 1;
    },
    forget: (key) => void known.delete(key),
  };
}
