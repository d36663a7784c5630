/** How often something may be tried in a while, by whoever: of strangers' names and addresses only so many are kept. */
import type { Clock } from '../../../util/clock.ts';
import { ApiProblem } from '../../api/problem.ts';

/**
 * Of those that are tried little, and as many that are tried much: names made up for it push out none that is locked. The oldest
 * are forgotten first; as many more tries cost more than they give.
 */
const MAX_KEYS = 50_000;

export interface TriesOptions {
  most: number;
  /** Milliseconds from the first. */
  withinMs: number;
  clock: Pick<Clock, 'monotonic'>;
}

export interface Tries {
  /** Returns what takes it back. Throws `ApiProblem` `too-many-requests`. */
  count(key: string): () => void;
  /** One that does not count. */
  giveBack(key: string): void;
  forget(key: string): void;
}

interface Entry {
  count: number;
  endsAt: number;
}

export function createTries({ most, withinMs, clock }: TriesOptions): Tries {
  /** In the order of their first, and of when they had half of what they may. */
  const [little, much] = [new Map<string, Entry>(), new Map<string, Entry>()];

  function add(kind: Map<string, Entry>, key: string, entry: Entry): void {
    kind.set(key, entry);
    for (const [oldest, { endsAt }] of kind) {
      if (kind.size <= MAX_KEYS && clock.monotonic() < endsAt) break;
      kind.delete(oldest);
    }
  }

  function forget(key: string): void {
    for (const kind of [little, much]) kind.delete(key);
  }

  const find = (key: string) => much.get(key) ?? little.get(key);

  function current(key: string): Entry {
    const found = find(key);
    if (found !== undefined && clock.monotonic() < found.endsAt) return found;
    const begun = { count: 0, endsAt: clock.monotonic() + withinMs };
    forget(key);
    add(little, key, begun);
    return begun;
  }

  return {
    count(key) {
      const found = current(key);
      found.count += 1;
      if (found.count * 2 >= most && little.delete(key)) add(much, key, found);
      if (found.count > most)
        throw new ApiProblem('too-many-requests', 'too many attempts to sign in', {
          retryAfter: Math.ceil((found.endsAt - clock.monotonic()) / 1000),
        });
      return () => {
        found.count -= 1;
        if (found.count === 0 && find(key) === found) forget(key);
      };
    },
    giveBack(key) {
      const found = find(key);
      if (found !== undefined) found.count -= 1;
    },
    forget,
  };
}
