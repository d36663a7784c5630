/**
 * A few at a time, but nobody waits for the slow: whoever is let in makes room for the next when it leaves,
 * or when its time is over.
 */
export interface Pace {
  /** Resolves with what to call when leaving. First come, first served. */
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
    // Answers that have come meanwhile are read before `setImmediate`: only who is silent makes room.
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
