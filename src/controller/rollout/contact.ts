/**
 * Whether a host is still in contact, judged by how long its event streams last. A stream that ends as soon as it was
 * opened is no contact, whatever it delivered: an agent that ends one after another must not keep its job for ever.
 */
import type { Clock } from '../../util/clock.ts';

/** Milliseconds a stream must deliver for to count as contact; less than between two signs of life (DESIGN 6). */
const HOLD_MS = 10_000;

/** Maximum number of empty streams in a row: the agent knows the job, but not its end. */
const MAX_EMPTY = 6;

/** Maximum number of streams ended by the agent. It does so when it stops or restarts: a few times during a run. */
const MAX_ENDED = 100;

export interface Contact {
  /** The host is about to be asked. */
  asked(): void;
  /** A stream of events was opened. */
  opened(): void;
  /** Something arrived; `isNew`: an event not seen before. */
  heard(isNew: boolean): void;
  /** The stream is over; `byAgent`: the agent ended it, rather than the connection breaking. */
  closed(byAgent: boolean): void;
  /** Whether the latest attempt got anywhere: its stream lasted, or brought something new. */
  wasGood(): boolean;
  /** Milliseconds since a stream last counted as contact. */
  silenceMs(): number;
  /** How often the agent has ended its streams, if that is too often. */
  endedTooOften(): number | undefined;
}

/** `lostAfterMs`: how long a host may be silent; a stream that lasts as long always counts as contact. */
export function trackContact({ monotonic }: Clock, lostAfterMs: number): Contact {
  const holdMs = Math.min(HOLD_MS, lostAfterMs);
  let lastContact = monotonic();
  let openedAt = lastContact;
  let heardAt = lastContact;
  let hasNews = false;
  let isGood = true;
  let wasOpened = true;
  let empty = 0;
  let ended = 0;
  return {
    asked() {
      if (!wasOpened) empty = 0;
      wasOpened = false;
      isGood = false;
    },
    opened() {
      wasOpened = true;
      openedAt = monotonic();
      heardAt = openedAt;
      hasNews = false;
    },
    heard(isNew) {
      heardAt = monotonic();
      hasNews ||= isNew;
    },
    closed(byAgent) {
      const hasHeld = heardAt - openedAt >= holdMs;
      if (hasHeld) lastContact = heardAt;
      isGood = hasHeld || hasNews;
      empty = byAgent && !isGood ? empty + 1 : 0;
      if (byAgent) ended += 1;
    },
    wasGood: () => isGood,
    silenceMs: () => monotonic() - lastContact,
    endedTooOften: () => (empty >= MAX_EMPTY || ended >= MAX_ENDED ? ended : undefined),
  };
}
