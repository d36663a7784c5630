/**
 * Runs fewer hosts at once when several of them report that Puppet Server turned them away, and more again when
 * that stops. As in other congestion control, the window halves and grows by a quarter, with jitter. One host alone
 * proves nothing, and its log must not slow down all others.
 */
import type { StoredEvent } from '../../protocol/event.ts';
import type { Clock } from '../../util/clock.ts';
import type { Places } from '../../util/semaphore.ts';
import type { Emit } from '../jobs/job.ts';

export interface BackPressureOptions {
  places: Places;
  clock: Clock;
  emit: Emit;
  /** Milliseconds without such reports before the window grows; up to twice as long, with jitter. */
  growAfterMs?: number;
  /** Milliseconds in which further reports are ignored: hosts are turned away in crowds. */
  settleMs?: number;
}

const GROW_AFTER_MS = 10_000;
const SETTLE_MS = 5_000;

/** The share of the hosts in progress that must have been turned away lately, and the least number of them. */
const ENOUGH = 0.1;
const SEVERAL = 2;

export interface BackPressure {
  on(certname: string, event: StoredEvent): void;
  close(): void;
}

export function createBackPressure(options: BackPressureOptions): BackPressure {
  const { places, clock, emit, growAfterMs = GROW_AFTER_MS, settleMs = SETTLE_MS } = options;
  const most = places.size();
  let shrunkAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  /** Who was turned away, and when (monotonic milliseconds): the latest are last. */
  const turned = new Map<string, number>();

  /** Whether they are enough to believe it; those of a while ago no longer count. */
  function isCrowd(certname: string, now: number): boolean {
    turned.delete(certname);
    turned.set(certname, now);
    for (const [name, at] of turned) {
      if (now - at <= growAfterMs) break;
      turned.delete(name);
    }
    const size = places.size();
    return turned.size >= Math.min(size, Math.max(SEVERAL, Math.ceil(size * ENOUGH)));
  }

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
        resize(size, 'hosts are no longer turned away');
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
      if (!isCrowd(certname, now)) return;
      turned.clear();
      if (shrunkAt === undefined || now - shrunkAt >= settleMs) {
        shrunkAt = now;
        resize(
          Math.max(1, Math.floor(places.size() / 2)),
          `Puppet Server turned several hosts away, ${certname} too: ${words}`,
        );
      }
      growLater();
    },
    close: () => clearTimeout(timer),
  };
}

/**
 * Puppet's messages for a server that is too busy or gone (lib/puppet/http: client.rb,
 * retry_after_handler.rb, session.rb; the system's "Connection refused").
 */
const WORDS =
  /\b503\b|Service Unavailable|seconds before retrying the request|Connection refused|No more routes to/;
const LEVELS: readonly string[] = ['warning', 'err', 'crit', 'alert', 'emerg'];

/** Returns the message by which an event says that the host was turned away; undefined if it says no such thing. */
export function turnedAway(event: StoredEvent): string | undefined {
  if (event.type === 'log') {
    return event.lines.find(({ level, message }) => LEVELS.includes(level) && WORDS.test(message))?.message;
  }
  if (event.type !== 'finished' || event.outcome !== 'failed') return undefined;
  const { message = '' } = event.error ?? {};
  return WORDS.test(message) ? message : undefined;
}
