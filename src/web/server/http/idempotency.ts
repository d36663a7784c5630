/**
 * `Idempotency-Key`: the same key from the same caller is answered with what was answered first, so that a client whose
 * connection broke may ask again and nothing starts twice. Kept for a time, also over the death of the server.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';
import { ApiProblem } from '../../api/problem.ts';
import { type KeptKey, type KeptKeys, openKeptKeys } from './kept-keys.ts';

const KEPT_MS = 86_400_000;
const MAX_KEYS = 10_000;

/** `begins` is called before a job starts, with what will be answered. */
type KeyedWork<T> = (begins: (answer: { job: string }) => Promise<void>) => Promise<T>;

export interface Idempotency {
  /** Does `work` unless this key was used before. Throws `ApiProblem` `conflict` if that was for another request. */
  once<T>(asked: { caller: string; key: string; request: string }, work: KeyedWork<T>): Promise<T>;
}

interface Known {
  at: number;
  request: string;
  answer: Promise<unknown>;
}

interface IdempotencyOptions {
  /** Milliseconds; defaults to a day. */
  keptMs?: number;
  clock: Clock;
  log: Log;
  /** Whether there is such a job. */
  isThere(job: string): Promise<boolean>;
}

export async function openIdempotency(
  dir: string,
  { keptMs = KEPT_MS, clock, log, isThere }: IdempotencyOptions,
): Promise<Idempotency> {
  const kept = openKeptKeys(dir, log);
  const known = new Map<string, Known>();
  const prune = () => kept.prune({ before: clock.now() - keptMs, most: MAX_KEYS });
  await prune();

  function forgetOld(): void {
    const before = known.size;
    for (const [key, { at }] of known) {
      if (known.size <= MAX_KEYS && clock.monotonic() - at < keptMs) break;
      known.delete(key);
    }
    if (known.size < before) void prune();
  }

  async function answerOf<T>(id: string, request: string, work: KeyedWork<T>): Promise<T> {
    const before = await answeredBefore(id, request, { kept, keptMs, clock, isThere });
    if (before !== undefined) return before.answer as T;
    const at = clock.now();
    let begun: { job: string } | undefined;
    try {
      const answer = await work((first) => {
        begun = first;
        return kept.write(id, { at, request, begins: first.job, answer: first });
      });
      await kept.write(id, { at, request, answer });
      return answer;
    } catch (error) {
      // What did not begin may be tried again; what did is the answer from now on.
      if (begun === undefined || !(await isThere(begun.job))) await kept.remove(id);
      else known.set(id, { at: clock.monotonic(), request, answer: Promise.resolve(begun) });
      throw error;
    }
  }

  return {
    async once({ caller, key, request }, work) {
      checkKey(key);
      forgetOld();
      const id = `${caller}\0${key}`;
      const hash = createHash('sha256').update(request).digest('hex');
      const before = known.get(id);
      if (before !== undefined) {
        if (before.request === hash) return before.answer as ReturnType<typeof work>;
        throw otherRequest();
      }
      const answer = answerOf(id, hash, work);
      known.set(id, { at: clock.monotonic(), request: hash, answer });
      answer.catch(() => known.get(id)?.answer === answer && known.delete(id));
      return answer;
    },
  };
}

interface Before extends Pick<IdempotencyOptions, 'clock' | 'isThere'> {
  kept: KeptKeys;
  keptMs: number;
}

/** What an earlier server has answered; undefined if it began nothing. Throws `ApiProblem` `conflict`, and what `KeptKeys` does. */
async function answeredBefore(
  id: string,
  request: string,
  { kept, keptMs, clock, isThere }: Before,
): Promise<KeptKey | undefined> {
  const found = await kept.read(id);
  if (found === undefined || clock.now() - found.at >= keptMs) return undefined;
  if (found.request !== request) throw otherRequest();
  return found.begins === undefined || (await isThere(found.begins)) ? found : undefined;
}

function otherRequest(): ApiProblem {
  return new ApiProblem('conflict', 'Idempotency-Key: it was used for another request');
}

function checkKey(key: string): void {
  if (/^[\x21-\x7e]{1,128}$/.test(key)) return;
  throw new ApiProblem('bad-request', 'Idempotency-Key: not 1 to 128 visible ASCII characters');
}
