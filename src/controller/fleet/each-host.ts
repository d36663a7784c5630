/** A question or command for many hosts, some at a time: one that hangs costs the others nothing. */
import { setMaxListeners } from 'node:events';
import type { Target } from '../../transport/transport.ts';
import { createPlaces } from '../../util/semaphore.ts';

/** Hosts asked at once by default. */
export const AT_ONCE = 100;

export interface EachHostOptions<Answer> {
  /** Hosts asked at once; defaults to 100. */
  concurrency?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Called as answers come. */
  onAnswer?: ((answer: Answer) => void) | undefined;
}

/** Returns the answers in the order of the targets. */
export function askEach<Answer>(
  targets: readonly Target[],
  ask: (target: Target, signal: AbortSignal) => Promise<Answer>,
  options: EachHostOptions<Answer>,
): Promise<Answer[]> {
  const { concurrency = AT_ONCE, signal = new AbortController().signal, onAnswer } = options;
  setMaxListeners(0, signal);
  const places = createPlaces(concurrency);
  return Promise.all(
    targets.map(async (target) => {
      // Refused once the signal has aborted; the sender then fails at once.
      const hasPlace = await places.take(signal);
      const answer = await ask(target, signal);
      if (hasPlace) places.giveBack();
      onAnswer?.(answer);
      return answer;
    }),
  );
}
