/**
 * The recent history of addresses: whether somebody who may has asked from one within a day, and how many handshakes from it
 * failed. It decides which connections go first and which make room, never which are refused: one address may be shared by
 * an attacker and by whom they attack.
 */
import type { Clock } from '../../util/clock.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Half-life of a failed handshake, milliseconds. */
const HALF_LIFE_MS = 10_000;
const MAX_KNOWN = 256;
const MAX_FAILURES = 4096;

interface Failures {
  count: number;
  at: number;
}

export class AddressBook {
  readonly #clock: Pick<Clock, 'monotonic'>;
  /** In the order of last use. */
  readonly #known = new Map<string, number>();
  readonly #failures = new Map<string, Failures>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Somebody who may has asked from this address group. */
  welcome(group: string): void {
    this.#known.delete(group);
    this.#known.set(group, this.#clock.monotonic());
    dropFirst(this.#known, MAX_KNOWN);
  }

  /** A handshake from this address group failed. */
  fail(group: string): void {
    const count = this.failures(group) + 1;
    this.#failures.delete(group);
    this.#failures.set(group, { count, at: this.#clock.monotonic() });
    dropFirst(this.#failures, MAX_FAILURES);
  }

  /** Whether somebody who may has asked from there within a day. */
  isKnown(group: string): boolean {
    const at = this.#known.get(group);
    return at !== undefined && this.#clock.monotonic() - at < DAY_MS;
  }

  /** The number of recent failed handshakes, weighted by age. */
  failures(group: string): number {
    const known = this.#failures.get(group);
    if (known === undefined) return 0;
    return known.count * 2 ** ((known.at - this.#clock.monotonic()) / HALF_LIFE_MS);
  }
}

/** Maps keep their keys in insertion order, so the first is the oldest. */
function dropFirst(map: Map<string, unknown>, max: number): void {
  if (map.size <= max) return;
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}
