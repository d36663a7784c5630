/** A stream that a controller makes, until its agent accepts it. */
import { setMaxListeners } from 'node:events';
import type { Duplex } from 'node:stream';
import { formatDuration } from '../../util/duration.ts';
import type { SendFailure } from '../transport.ts';
import { notReached } from './session.ts';
import type { NatsStream } from './stream.ts';
import type { StreamName } from './subjects.ts';

export interface Dialled {
  readonly name: StreamName;
  readonly stream: NatsStream;
  /** Ends the wait for the agent; does nothing once it has accepted. */
  fail(failure: SendFailure, message: string): void;
  /** Monotonic milliseconds of its last message. */
  heardAt: number;
}

export interface AcceptWait {
  /** Milliseconds, and how many there were in all, for the message. */
  leftMs: number;
  withinMs: number;
  signal: AbortSignal;
}

/** Throws `SendError`, never `arrived`. */
export function untilAccepted(dialled: Dialled, { leftMs, withinMs, signal }: AcceptWait): Promise<Duplex> {
  const { stream } = dialled;
  return new Promise((resolve, reject) => {
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      stream.off('close', closed);
      dialled.fail = () => {};
    };
    const fail = (code: SendFailure, message: string) => {
      settle();
      stream.destroy();
      reject(notReached(code, message));
    };
    const giveUp = () => fail('aborted', 'given up before the answer');
    const closed = () => fail('broken', 'kick agent closed the stream at once');
    const timedOut = () =>
      fail('no-answer', `kick agent does not answer within ${formatDuration(withinMs)} through the broker`);
    const timer = setTimeout(timedOut, leftMs);
    dialled.fail = fail;
    setMaxListeners(0, signal); // one for each host
    signal.addEventListener('abort', giveUp, { once: true });
    stream.once('close', closed);
    stream.once('accepted', () => {
      settle();
      resolve(stream);
    });
    if (signal.aborted) giveUp();
  });
}
