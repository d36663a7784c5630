/**
 * Lets in a few at a time, without waiting for slow ones: each makes room for the next when it leaves, or
 * after a limited time.
 */
export interface Pace {
  /** Resolves to a function to call when leaving. First come, first served. */
  enter(): Promise<() => void>;
}

export function createPace({ atOnce, roomAfterMs }: { atOnce: number; roomAfterMs: number }): Pace {
  const queue: (() => void)[] = [];
  let inside = 0;

  function letIn(): () => void {
    let isOut = false;
    inside += 1;
    const leave = () => {
      clearTimeout(timer);
      if (isOut) return;
      isOut = true;
      inside -= 1;
      queue.shift()?.();
    };
    // Answers that have arrived are read before `setImmediate`, so that only silent ones make room.
    const timer = setTimeout(() => setImmediate(leave), roomAfterMs);
    return leave;
  }

  return {
    enter() {
      if (inside < atOnce) return Promise.resolve(letIn());
      return new Promise((resolve) => queue.push(() => resolve(letIn())));
    },
  };
}
