/**
 * Asks again where the other end closed the connection before anything was sent. A flooded agent makes room by closing
 * handshakes in progress, ours among them if the flood comes from our own address.
 */
import { systemCode } from '../../../errors.ts';
import { sleep } from '../../../util/clock.ts';
import { SendError } from '../../transport.ts';

export interface AttemptOptions {
  /** Milliseconds before each further attempt. */
  waitsMs: readonly number[];
  /** No attempt begins later than this many milliseconds after the first. */
  withinMs: number;
  /** Ends a wait; what is asked must notice it by itself. */
  signal: AbortSignal;
  /** Of what is asked in another way. Defaults to whether nothing was sent, and the other end closed the connection. */
  isCutOff?: (error: unknown) => boolean;
}

/** Returns or throws what the last attempt does. */
export async function attempts<T>(
  ask: () => Promise<T>,
  { waitsMs, withinMs, signal, isCutOff = isUnsent }: AttemptOptions,
): Promise<T> {
  const endAt = performance.now() + withinMs;
  for (const waitMs of waitsMs) {
    try {
      return await ask();
    } catch (error) {
      if (!isCutOff(error) || performance.now() + waitMs > endAt) throw error;
      await sleep(waitMs, signal);
    }
  }
  return ask();
}

/** Whether nothing was sent, and the other end closed the connection without a word (a TLS alert is one). */
function isUnsent(error: unknown): boolean {
  if (!(error instanceof SendError) || error.arrived) return false;
  return error.failure === 'broken' || isClosed(error.cause);
}

/** Whether the other end closed the connection. */
export function isClosed(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes(systemCode(error) ?? '');
}
