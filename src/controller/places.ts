/** How many hosts run at once (--concurrency). A host that waits for another run gives its place back. */
export interface Places {
  /** Resolves to true with a place, or to false when `signal` aborts first. First come, first served. */
  take(signal: AbortSignal): Promise<boolean>;
  /** Takes a place whether there is one or not: the host runs already. */
  takeAnyway(): void;
  giveBack(): void;
}

export function createPlaces(count: number): Places {
  let taken = 0;
  const queue: (() => void)[] = [];

  function next(): void {
    while (taken < count) {
      const first = queue.shift();
      if (first === undefined) return;
      taken += 1;
      first();
    }
  }

  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(false);
      return new Promise((resolve) => {
        const granted = () => {
          signal.removeEventListener('abort', gone);
          resolve(true);
        };
        const gone = () => {
          queue.splice(queue.indexOf(granted), 1);
          resolve(false);
        };
        signal.addEventListener('abort', gone, { once: true });
        queue.push(granted);
        next();
      });
    },
    takeAnyway() {
      taken += 1;
    },
    giveBack() {
      taken -= 1;
      next();
    },
  };
}
