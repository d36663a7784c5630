/**
 * `Idempotency-Key`: the same key from the same caller is answered with what was answered first, so that a client whose
 * connection broke may ask again and nothing starts twice. Kept in memory for a day.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../../util/clock.ts';
import { ApiProblem } from '../../api/problem.ts';

const KEPT_MS = 86_400_000;
const MAX_KEYS = 10_000;

export interface Idempotency {
  /** Does `work` unless this key was used before. Throws `ApiProblem` `conflict` if that was for another request. */
  once<T>(asked: { caller: string; key: string; request: string }, work: () => Promise<T>): Promise<T>;
}

interface Known {
  at: number;
  request: string;
  answer: Promise<unknown>;
}

export function createIdempotency(clock: Clock): Idempotency {
  const known = new Map<string, Known>();

  function forgetOld(): void {
    for (const [key, { at }] of known) {
      if (known.size <= MAX_KEYS && clock.monotonic() - at < KEPT_MS) return;
      known.delete(key);
    }
  }

  return {
    async once({ caller, key, request }, work) {
      if (!/^[\x21-\x7e]{1,128}$/.test(key)) {
        throw new ApiProblem('bad-request', 'Idempotency-Key: not 1 to 128 visible ASCII characters');
      }
      forgetOld();
      const id = `${caller}\0${key}`;
      const hash = createHash('sha256').update(request).digest('hex');
      const before = known.get(id);
      if (before !== undefined) {
        if (before.request === hash) return before.answer as ReturnType<typeof work>;
        throw new ApiProblem('conflict', 'Idempotency-Key: it was used for another request');
      }
      const answer = work();
      known.set(id, { at: clock.monotonic(), request: hash, answer });
      // What did not begin may be tried again.
      answer.catch(() => known.delete(id));
      return answer;
    },
  };
}
