/** Time as a parameter, so that no test sleeps. */
export interface Clock {
  /** Wall time, milliseconds since 1970. */
  now(): number;
  /** Time that never goes back, milliseconds since some start. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** Node's longest timer; longer ones fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls `fire` after any number of milliseconds; returns a function that cancels it. */
export function after(ms: number, fire: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number) => {
    const next = Math.min(left, LONGEST_TIMER_MS);
    timer = setTimeout(() => (left > next ? wait(left - next) : fire()), next);
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** Resolves after `ms` milliseconds, or at once if `signal` aborts (it does not throw). */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = after(ms, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
