/** How fast a job's hosts end: sums that each event adds to, so that nothing is counted again. */
import type { HostResult } from '../controller/jobs/job.ts';

/** Seconds that the present rate looks back. */
const RECENT_S = 60;

export interface Pace {
  /** A host was asked, or runs; `from`: milliseconds since 1970. */
  entered(from: number): void;
  left(): void;
  ended(result: Pick<HostResult, 'startedAt' | 'endedAt' | 'waitedMs'>): void;
  now(now: number): PaceNow;
}

export interface PaceNow {
  /** Hosts that have ended since this controller began, and how long they took (milliseconds, in all, without waiting). */
  ended: number;
  workedMs: number;
  /** Hosts that are being asked or run, and how long the last of them to begin has been so. */
  underWay: number;
  youngestMs: number;
  /** Hosts a minute of late. */
  perMinute: number;
}

export function createPace(startedAt: number): Pace {
  let [ended, workedMs, underWay, youngest] = [0, 0, 0, 0];
  const recent = { second: new Array<number>(RECENT_S).fill(-1), count: new Array<number>(RECENT_S).fill(0) };

  function countNow(at: number): void {
    const second = Math.floor((at - startedAt) / 1000);
    const place = second % RECENT_S;
    if (recent.second[place] !== second) {
      recent.second[place] = second;
      recent.count[place] = 0;
    }
    recent.count[place] = (recent.count[place] ?? 0) + 1;
  }

  function perMinute(now: number): number {
    const elapsed = (now - startedAt) / 1000;
    const first = Math.floor(elapsed) - RECENT_S;
    let count = 0;
    for (const [place, second] of recent.second.entries())
      if (second > first) count += recent.count[place] ?? 0;
    return (count / Math.max(1, Math.min(RECENT_S, elapsed))) * 60;
  }

  return {
    entered(from) {
      underWay += 1;
      youngest = Math.max(youngest, from);
    },
    left() {
      underWay -= 1;
    },
    ended({ startedAt: from, endedAt, waitedMs = 0 }) {
      // What an earlier controller has seen says nothing of now, and what was never asked of nothing.
      if (endedAt < startedAt || from === undefined) return;
      ended += 1;
      workedMs += Math.max(0, endedAt - from - waitedMs);
      countNow(endedAt);
    },
    now: (now) => ({
      ...{ ended, workedMs, underWay },
      youngestMs: Math.max(0, now - youngest),
      perMinute: perMinute(now),
    }),
  };
}
