/**
 * When hosts report that Puppet Server turned them away, fewer are let go at once; when it is quiet
 * again, more. It halves and grows by a quarter, with jitter, as congestion is handled elsewhere.
 */
import type { StoredEvent } from '../../protocol/event.ts';
import type { Clock } from '../../util/clock.ts';
import type { Places } from '../../util/semaphore.ts';
import type { Emit } from '../jobs/job.ts';

export interface BackPressureOptions {
  places: Places;
  clock: Clock;
  emit: Emit;
  /** Milliseconds of quiet before it grows, twice this at the most. */
  growAfterMs?: number;
  /** Milliseconds in which further reports say nothing new: one crowd is turned away together. */
  settleMs?: number;
}

const GROW_AFTER_MS = 10_000;
const SETTLE_MS = 5_000;

export interface BackPressure {
  on(certname: string, event: StoredEvent): void;
  close(): void;
}

export function createBackPressure(options: BackPressureOptions): BackPressure {
  const { places, clock, emit, growAfterMs = GROW_AFTER_MS, settleMs = SETTLE_MS } = options;
  const most = places.size();
  let shrunkAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;

  function resize(size: number, why: string): void {
    if (size === places.size()) return;
    places.resize(size);
    emit({ type: 'window', at: clock.now(), size, most, why });
  }

  function growLater(): void {
    clearTimeout(timer);
    timer = setTimeout(
      () => {
        const size = Math.min(most, places.size() + Math.max(1, Math.floor(places.size() / 4)));
        resize(size, 'no host is turned away any more');
        if (size < most) growLater();
      },
      growAfterMs * (1 + Math.random()),
    );
    timer.unref();
  }

  return {
    on(certname, event) {
      const words = turnedAway(event);
      if (words === undefined) return;
      const now = clock.monotonic();
      if (shrunkAt === undefined || now - shrunkAt >= settleMs) {
        shrunkAt = now;
        resize(Math.max(1, Math.floor(places.size() / 2)), `Puppet Server turned ${certname} away: ${words}`);
      }
      growLater();
    },
    close: () => clearTimeout(timer),
  };
}

/**
 * The words of Puppet for a server that is too busy or gone (lib/puppet/http: client.rb,
 * retry_after_handler.rb, session.rb; the system's "Connection refused").
 */
const WORDS =
  /\b503\b|Service Unavailable|seconds before retrying the request|Connection refused|No more routes to/;
const LEVELS: readonly string[] = ['warning', 'err', 'crit', 'alert', 'emerg'];

/** What a host's event says of being turned away; undefined when it says nothing of it. */
export function turnedAway(event: StoredEvent): string | undefined {
  if (event.type === 'log') {
    return event.lines.find(({ level, message }) => LEVELS.includes(level) && WORDS.test(message))?.message;
  }
  if (event.type !== 'finished' || event.outcome !== 'failed') return undefined;
  const { message = '' } = event.error ?? {};
  return WORDS.test(message) ? message : undefined;
}
