/** Waits for a connection to a broker. */
import { formatDuration } from '../../util/duration.ts';
import type { Link } from './link.ts';

export interface Wait {
  /** Milliseconds. */
  withinMs: number;
  signal: AbortSignal;
  /** To be called whenever the status changes. */
  changes: Set<() => void>;
}

/** Rejects with the reason when the time is up, the signal aborts, or the link is closed. */
export function untilConnected(
  link: Pick<Link, 'status'>,
  { withinMs, signal, changes }: Wait,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (end: () => void) => {
      clearTimeout(timer);
      changes.delete(look);
      signal.removeEventListener('abort', giveUp);
      end();
    };
    const fail = (reason: string) => settle(() => reject(new Error(reason)));
    const look = () => {
      const { state } = link.status();
      if (state === 'connected') settle(resolve);
      if (state === 'closed') fail('the connection to the broker is closed');
    };
    const giveUp = () => fail('given up before the broker answered');
    const timer = setTimeout(() => {
      const { reason = 'it does not answer' } = link.status();
      fail(`no connection to a broker within ${formatDuration(withinMs)}: ${reason}`);
    }, withinMs);
    changes.add(look);
    signal.addEventListener('abort', giveUp);
    if (signal.aborted) giveUp();
    else look();
  });
}
