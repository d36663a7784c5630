/** How many hosts run at once (--concurrency). A host that waits for another run gives its place back. */
export interface Places {
  /** Resolves to true with a place, or to false when `signal` aborts first. First come, first served. */
  take(signal: AbortSignal): Promise<boolean>;
  /** Takes a place whether there is one or not: the host runs already. */
  takeAnyway(): void;
  giveBack(): void;
  /** How many there are from now on; who has one keeps it. */
  resize(count: number): void;
  size(): number;
}

/** Places that are given in one turn of the event loop: each is a signature and a few lines of the job's log. */
const GIVEN_PER_TURN = 16;

interface Waiter {
  signal: AbortSignal;
  resolve(isGranted: boolean): void;
}

export function createPlaces(count: number): Places {
  let size = count;
  let taken = 0;
  let givenInTurn = 0;
  // In order of arrival; a set, since the one that gives up may be anywhere in a long queue.
  const queue = new Set<Waiter>();
  // A listener for each of ten thousand hosts would cost the square of it: each one is compared with all.
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

/** A place in each of several; taken in their order, so that no two hosts wait for each other. */
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
