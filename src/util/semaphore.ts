/** Limits how many hosts run at once (--concurrency). A host that waits for another run gives its place back. */
export interface Places {
  /** Resolves to true with a place, or to false if `signal` aborts first. First come, first served. */
  take(signal: AbortSignal): Promise<boolean>;
  /** Takes a place even if there is none: the host runs already. */
  takeAnyway(): void;
  giveBack(): void;
  /** Changes the number of places; taken ones are kept. */
  resize(count: number): void;
  size(): number;
}

/** Places given out per turn of the event loop: each means a signature and a few lines in the job's log. */
const GIVEN_PER_TURN = 16;

interface Waiter {
  signal: AbortSignal;
  resolve(isGranted: boolean): void;
}

export function createPlaces(count: number): Places {
  let size = count;
  let taken = 0;
  let givenInTurn = 0;
  // In order of arrival; a set, since any waiter in a long queue may give up.
  const queue = new Set<Waiter>();
  // One listener per signal: adding ten thousand to the same signal takes quadratic time.
  const heard = new WeakSet<AbortSignal>();

  function next(): void {
    for (const waiter of queue) {
      if (taken >= size || givenInTurn >= GIVEN_PER_TURN) return;
      queue.delete(waiter);
      taken += 1;
      if (givenInTurn === 0) setImmediate(nextTurn);
      givenInTurn += 1;
      waiter.resolve(true);
    }
  }

  function nextTurn(): void {
    givenInTurn = 0;
    next();
  }

  function giveUp(signal: AbortSignal): void {
    for (const waiter of queue) {
      if (waiter.signal !== signal) continue;
      queue.delete(waiter);
      waiter.resolve(false);
    }
  }

  return {
    take(signal) {
      if (signal.aborted) return Promise.resolve(false);
      if (!heard.has(signal)) {
        heard.add(signal);
        signal.addEventListener('abort', () => giveUp(signal), { once: true });
      }
      return new Promise((resolve) => {
        queue.add({ signal, resolve });
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
    resize(wanted) {
      size = wanted;
      next();
    },
    size: () => size,
  };
}

/** A place in each of several semaphores, taken in order, so that no two hosts wait for each other. */
export function allOf(places: readonly Places[]): Pick<Places, 'take' | 'takeAnyway' | 'giveBack'> {
  return {
    async take(signal) {
      for (const [index, one] of places.entries()) {
        if (await one.take(signal)) continue;
        for (const before of places.slice(0, index)) before.giveBack();
        return false;
      }
      return true;
    },
    takeAnyway() {
      for (const one of places) one.takeAnyway();
    },
    giveBack() {
      for (const one of places) one.giveBack();
    },
  };
}
