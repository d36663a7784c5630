/** Tells those who read a growing file that there is more. Nothing is carried: the file is the truth. */
export interface Notifier {
  notify(topic: string): void;
  /** Resolves at the next `notify` of any of the topics after this call, or when `signal` aborts. */
  next(topics: readonly string[], signal: AbortSignal): Promise<void>;
}

export function createNotifier(): Notifier {
  const waiting = new Map<string, Set<() => void>>();
  return {
    notify(topic) {
      for (const wake of [...(waiting.get(topic) ?? [])]) wake();
    },
    next(topics, signal) {
      return new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const wake = () => {
          for (const topic of topics) {
            const set = waiting.get(topic);
            set?.delete(wake);
            if (set?.size === 0) waiting.delete(topic);
          }
          signal.removeEventListener('abort', wake);
          resolve();
        };
        for (const topic of topics) {
          const set = waiting.get(topic) ?? new Set();
          waiting.set(topic, set.add(wake));
        }
        signal.addEventListener('abort', wake, { once: true });
      });
    },
  };
}
