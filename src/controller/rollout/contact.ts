/**
 * Whether a host is still in contact, by how its streams of events hold. A stream that ends as soon as it was opened is
 * no contact, whatever it told: an agent that ends one after the other must not keep its job for ever.
 */
import type { Clock } from '../../util/clock.ts';

/** Milliseconds that a stream must have told something for: less than between two signs of life (DESIGN 6). */
const HOLD_MS = 10_000;

/** Streams in a row that an agent may end at once with nothing new in them: it knows the job, and not its end. */
const MAX_EMPTY = 6;

/** Streams that an agent may end by itself: it does so when it is stopped or restarted, a few times in a run at most. */
const MAX_ENDED = 100;

export interface Contact {
  /** The host is about to be asked. */
  asked(): void;
  /** A stream of events was opened. */
  opened(): void;
  /** Something came by it; `isNew`: an event that was not known. */
  heard(isNew: boolean): void;
  /** It is over; `byAgent`: the agent ended it, the connection did not break. */
  closed(byAgent: boolean): void;
  /** Whether the latest question was worth it: a stream that held, or told something new. */
  wasGood(): boolean;
  /** Milliseconds since a stream held. */
  silenceMs(): number;
  /** How often the agent has ended its streams, once that is too often. */
  endedTooOften(): number | undefined;
}

/** `lostAfterMs`: how long a host may be silent; a stream that holds as long is contact, whatever else is. */
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
