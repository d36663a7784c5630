/** DESIGN 12, discovery: how long answers are waited for. */
import { sleep } from '../../util/clock.ts';
import type { HostAnswer } from './answers.ts';

const LOOK_EVERY_MS = 10;

/** Milliseconds without an answer. */
const SILENCE = {
  /** The least, and as a share of the slowest round trip. */
  least: 100,
  share: 0.5,
  /** The longest, which the first answer has, and hosts that are expected. */
  most: 2000,
};

/** Milliseconds in all, while answers come. */
const MOST_MS = 30_000;

/** More are not sought at the broker, only waited for. */
const MAX_SOUGHT = 10_000;

/** How far the answers are. */
export interface Progress {
  /** Expected hosts that have not answered. */
  readonly missing: Set<string>;
  /** Those of them that are not at the broker. */
  readonly absent: Set<string>;
  /** Milliseconds from the question to the latest answer. */
  slowestMs: number | undefined;
  /** No more can come. */
  isOver: boolean;
  hear(answer: HostAnswer): void;
  /** The host is not at the broker. */
  miss(certname: string): void;
}

export function newProgress(expected: Iterable<string> = []): Progress {
  const missing = new Set(expected);
  const absent = new Set<string>();
  return {
    missing,
    absent,
    slowestMs: undefined,
    isOver: false,
    hear({ certname, latencyMs }) {
      missing.delete(certname);
      absent.delete(certname);
      this.slowestMs = Math.max(this.slowestMs ?? 0, latencyMs);
    },
    miss(certname) {
      if (missing.has(certname)) absent.add(certname);
    },
  };
}

export interface Waiting {
  /** Milliseconds since the question. */
  elapsed(): number;
  /** Whether every answer that came has been looked at. */
  isIdle(): boolean;
  /** Waits exactly so long. */
  waitMs: number | undefined;
  /** Has the broker say which of these hosts are not there. */
  seek(certnames: Iterable<string>): void;
  signal: AbortSignal;
}

/**
 * Silence ends it. Once it is quiet, the broker is asked for the hosts that are missing: one that is there has all the
 * time there is, and one that is not has none.
 */
export async function untilQuiet(progress: Progress, waiting: Waiting): Promise<void> {
  const { elapsed, isIdle, waitMs, seek, signal } = waiting;
  const { missing, absent } = progress;
  let isSought = false;
  const isSilentFor = async (ms: number) => {
    const isSilent = () => isIdle() && elapsed() - (progress.slowestMs ?? 0) >= ms;
    if (!isSilent()) return false;
    // What a busy process has not read yet is no silence.
    await nextTurn();
    await nextTurn();
    return isSilent();
  };
  while (!signal.aborted && !progress.isOver && elapsed() < (waitMs ?? MOST_MS)) {
    const quietMs = Math.min(
      Math.max(SILENCE.least, (progress.slowestMs ?? 0) * SILENCE.share),
      SILENCE.most,
    );
    if (missing.size > 0 && !isSought && (await isSilentFor(quietMs))) {
      isSought = true;
      if (missing.size <= MAX_SOUGHT) seek(missing);
    }
    const isAwaited = progress.slowestMs === undefined || missing.size > absent.size;
    if (waitMs === undefined && (await isSilentFor(isAwaited ? SILENCE.most : quietMs))) return;
    await sleep(LOOK_EVERY_MS, signal);
  }
}

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));
