/** Who may stop a job, and what that means: no new host is started, or hosts are no longer looked at. */
import { setMaxListeners } from 'node:events';
import type { StopReason } from '../jobs/job.ts';

export interface StopSignals {
  /** Ctrl-C: start no more hosts, leave running ones, look no longer. */
  signal: AbortSignal;
  /** `kick jobs stop`: start no more hosts, see those that run to their end. */
  stop?: AbortSignal;
  /** `kick jobs stop --cancel`: end those as well. */
  cancel?: AbortSignal;
  /** Milliseconds until the controller stops looking; it ends nothing. */
  timeoutMs?: number;
}

export interface Stops {
  /** Aborted: no new host is started. */
  readonly starting: AbortSignal;
  /** Aborted: hosts are left as they are. */
  readonly looking: AbortSignal;
  /** Starts no more hosts; false when that was so before. */
  stop(reason: StopReason): boolean;
  reason(): StopReason | undefined;
  /** Listens to whoever may stop the job; returns a function that ends it. */
  hook(on: { onStop(): void; onCancel(): void }): () => void;
}

export function createStops({ signal, stop, cancel, timeoutMs }: StopSignals): Stops {
  const starting = new AbortController();
  const looking = new AbortController();
  setMaxListeners(0, starting.signal, looking.signal, signal);
  let reason: StopReason | undefined;

  function stopStarting(why: StopReason): boolean {
    if (starting.signal.aborted) return false;
    reason = why;
    starting.abort();
    return true;
  }

  const stopLooking = (why: StopReason) => () => {
    // What stopped the rollout before counts on; but Ctrl-C is the operator's own word.
    if (!looking.signal.aborted && (reason === undefined || why === 'interrupted')) reason = why;
    starting.abort();
    looking.abort();
  };

  return {
    starting: starting.signal,
    looking: looking.signal,
    stop: stopStarting,
    reason: () => reason,
    hook({ onStop, onCancel }) {
      const timer = timeoutMs === undefined ? undefined : setTimeout(stopLooking('timeout'), timeoutMs);
      const hooks: [AbortSignal | undefined, () => void][] = [
        [signal, stopLooking('interrupted')],
        [stop, onStop],
        [cancel, onCancel],
      ];
      for (const [one, run] of hooks) {
        if (one?.aborted) run();
        one?.addEventListener('abort', run, { once: true });
      }
      return () => {
        clearTimeout(timer);
        for (const [one, run] of hooks) one?.removeEventListener('abort', run);
      };
    },
  };
}
