/** The ways to stop a job: start no new hosts, or also stop following the running ones. */
import { setMaxListeners } from 'node:events';
import { after } from '../../util/clock.ts';
import type { StopReason } from '../jobs/job.ts';

export interface StopSignals {
  /** Ctrl-C: start no more hosts, and stop following the running ones. */
  signal: AbortSignal;
  /** `kick jobs stop`: start no more hosts, but follow the running ones to their end. */
  stop?: AbortSignal;
  /** `kick jobs stop --cancel`: also end the running ones. */
  cancel?: AbortSignal;
  /** Milliseconds until the controller stops following; ends no run. */
  timeoutMs?: number;
}

export interface Stops {
  /** Aborted: no new host is started. */
  readonly starting: AbortSignal;
  /** Aborted: running hosts are no longer followed. */
  readonly following: AbortSignal;
  /** Starts no more hosts. Returns false if the job had stopped already. */
  stop(reason: StopReason): boolean;
  reason(): StopReason | undefined;
  /** Subscribes to the signals; returns a function that unsubscribes. */
  hook(on: { onStop(by: string): void; onCancel(by: string): void }): () => void;
}

export function createStops({ signal, stop, cancel, timeoutMs }: StopSignals): Stops {
  const starting = new AbortController();
  const following = new AbortController();
  setMaxListeners(0, starting.signal, following.signal, signal);
  let reason: StopReason | undefined;

  function stopStarting(why: StopReason): boolean {
    if (starting.signal.aborted) return false;
    reason = why;
    starting.abort();
    return true;
  }

  const stopFollowing = (why: StopReason) => () => {
    // The first reason stands, unless the operator presses Ctrl-C.
    if (!following.signal.aborted && (reason === undefined || why === 'interrupted')) reason = why;
    starting.abort();
    following.abort();
  };

  return {
    starting: starting.signal,
    following: following.signal,
    stop: stopStarting,
    reason: () => reason,
    hook({ onStop, onCancel }) {
      const endTimer = timeoutMs === undefined ? () => {} : after(timeoutMs, stopFollowing('timeout'));
      const hooks: [AbortSignal | undefined, () => void][] = [
        [signal, stopFollowing('interrupted')],
        [stop, () => onStop(whoSaid(stop))],
        [cancel, () => onCancel(whoSaid(cancel))],
      ];
      for (const [one, run] of hooks) {
        if (one?.aborted) run();
        one?.addEventListener('abort', run, { once: true });
      }
      return () => {
        endTimer();
        for (const [one, run] of hooks) one?.removeEventListener('abort', run);
      };
    },
  };
}

/** A signal's reason may be who gave it. */
const whoSaid = (signal: AbortSignal | undefined) =>
  typeof signal?.reason === 'string' ? signal.reason : 'somebody';
