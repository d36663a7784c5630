/** Wakes the readers of growing files. It carries no data: the file is the truth. */
export interface Notifier {
  notify(topic: string): void;
  /** Listens from the moment of the call. */
  listen(topics: readonly string[], signal: AbortSignal): Listening;
}

export interface Listening {
  /** Resolves on the first `notify` of any topic, when `signal` aborts, or on `stop`. */
  woken: Promise<void>;
  stop(): void;
}

export function createNotifier(): Notifier {
  const waiting = new Map<string, Set<() => void>>();
  return {
    notify(topic) {
      for (const wake of [...(waiting.get(topic) ?? [])]) wake();
    },
    listen(topics, signal) {
      let stop = () => {};
      const woken = new Promise<void>((resolve) => {
        stop = () => {
          for (const topic of topics) {
            const set = waiting.get(topic);
            set?.delete(stop);
            if (set?.size === 0) waiting.delete(topic);
          }
          signal.removeEventListener('abort', stop);
          resolve();
        };
        for (const topic of topics) {
          const set = waiting.get(topic) ?? new Set();
          waiting.set(topic, set.add(stop));
        }
        signal.addEventListener('abort', stop, { once: true });
        if (signal.aborted) stop();
      });
      return { woken, stop };
    },
  };
}
