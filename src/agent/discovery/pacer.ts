/** How many questions are looked at: a broker can send as many as it likes, and each costs a signature. */
import type { Clock } from '../../util/clock.ts';

const PER_SECOND = 10;
const AT_ONCE = 20;
/** Being looked at. */
const UNDER_WAY = 8;

export interface Pacer {
  /** Whether there is room for one more; then `end` must follow. */
  begin(): boolean;
  end(): void;
}

export function createPacer(clock: Clock): Pacer {
  let left = AT_ONCE;
  let at = clock.monotonic();
  let underWay = 0;
  return {
    begin() {
      const now = clock.monotonic();
      left = Math.min(AT_ONCE, left + ((now - at) / 1000) * PER_SECOND);
      at = now;
      if (left < 1 || underWay >= UNDER_WAY) return false;
      left -= 1;
      underWay += 1;
      return true;
    },
    end() {
      underWay -= 1;
    },
  };
}
