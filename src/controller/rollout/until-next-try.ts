/** The wait before an unreachable host is tried again. */
import type { Sender, Target } from '../../transport/transport.ts';
import { sleep } from '../../util/clock.ts';

export interface NextTry {
  target: Target;
  sender: Pick<Sender, 'onHere'>;
  /** Milliseconds. */
  waitMs: number;
  /** Ends it at once. */
  signal: AbortSignal;
}

/** At least so long, whoever says that the host has come. */
const LEAST_MS = 500;

/** Ends earlier when the host says that it has come, where the transport can tell. */
export async function untilNextTry({ target, sender, waitMs, signal }: NextTry): Promise<void> {
  const here = new AbortController();
  const stopListening = sender.onHere?.(target, () => here.abort());
  try {
    await sleep(Math.min(LEAST_MS, waitMs), signal);
    await sleep(Math.max(0, waitMs - LEAST_MS), AbortSignal.any([signal, here.signal]));
  } finally {
    stopListening?.();
  }
}
