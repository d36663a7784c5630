/**
 * The connections that have not finished their handshake. When there are too many, new ones are not refused (a flood would
 * then lock everybody else out); a waiting one is closed instead, as with sshd's MaxStartups and PerSourceMaxStartups, but
 * by rank rather than at random. A silent connection costs a socket but no TLS. The others start their handshake one per
 * turn of the event loop, known addresses first, so that the CPU time of a flood does not come before theirs.
 */

import { addressGroup } from '../../util/address-group.ts';
import type { Clock } from '../../util/clock.ts';
import type { AddressBook } from './address-book.ts';
import { Crowd } from './crowd.ts';
import type { GateLimits } from './limits.ts';
import type { Origin } from './origin.ts';

/** The part of node:net's `Socket` that the gate needs. */
export interface GateSocket extends Origin {
  once(event: 'close', listener: () => void): unknown;
  destroy(): unknown;
  resetAndDestroy(): unknown;
}

export interface GateOptions<S extends GateSocket> {
  limits: GateLimits;
  clock: Pick<Clock, 'monotonic'>;
  book: AddressBook;
  /** Calls back when a connection has said what TLS can begin with. */
  onceSpoken(socket: S, listener: () => void): void;
  /** Starts TLS on a connection. */
  start(socket: S): void;
  /** For the log: a connection made room, or was silent for too long. */
  onEvicted(socket: S): void;
  onTimeout(socket: S): void;
}

/** A connection that has not finished its handshake. */
interface Pending<S> {
  readonly socket: S;
  /** Its address and port. */
  readonly name: string;
  readonly group: string;
  /** Monotonic milliseconds of its arrival, then of its first turn in TLS. */
  since: number;
}

/**
 * libuv takes one connection a turn of the event loop. A turn with a handshake is long, so that whoever comes would wait in the
 * kernel, behind the flood: for so many turns those who come are taken first.
 */
const TURNS_FOR_ARRIVALS = 16;
/** Milliseconds until the next attempt if all connections in TLS have only just arrived. */
const RETRY_MS = 50;
/** Fewer may be chance: an address that was put out once itself. */
const FEW_FAILURES = 2;
/** More count no more: what a flood does to who shares its address must not lock that one out by its own attempts. */
const MANY_FAILURES = 8;

export class HandshakeGate<S extends GateSocket> {
  readonly #options: GateOptions<S>;
  /** Connections that an address keeps as long as there are others. */
  readonly #kept: readonly ((group: string) => number)[];
  /** In the order of arrival. */
  readonly #byName = new Map<string, Pending<S>>();
  readonly #all = new Crowd<Pending<S>>();
  /** Connections that have sent nothing. */
  readonly #silent = new Crowd<Pending<S>>();
  /** Connections that have sent something and wait for their turn. */
  readonly #ready = new Crowd<Pending<S>>();
  readonly #shaking = new Crowd<Pending<S>>();
  /** How many there have been. */
  #arrivals = 0;
  #sweeper: NodeJS.Timeout | undefined;
  #isTurnDue = false;

  constructor(options: GateOptions<S>) {
    this.#options = options;
    const { book, limits } = options;
    const ofKnown = (group: string) => (book.isKnown(group) ? limits.keptPerKnown : 0);
    const ofUnsuspected = (group: string) => (book.failures(group) < FEW_FAILURES ? 1 : 0);
    this.#kept = [(group) => Math.max(ofKnown(group), ofUnsuspected(group)), ofKnown];
  }

  get size(): number {
    return this.#all.size;
  }

  /** Admits a new connection, and closes another one if there are too many. */
  enter(socket: S): void {
    if (socket.remoteAddress === undefined) return void socket.destroy();
    const { limits, clock } = this.#options;
    while (this.#all.size >= limits.handshakes && this.#makeRoom());
    const pending: Pending<S> = {
      socket,
      name: nameOf(socket),
      group: addressGroup(socket.remoteAddress),
      since: clock.monotonic(),
    };
    this.#arrivals += 1;
    this.#byName.set(pending.name, pending);
    this.#all.add(pending, pending.group);
    this.#silent.add(pending, pending.group);
    socket.once('close', () => this.#fail(pending));
    this.#options.onceSpoken(socket, () => this.#spoke(pending));
    this.#sweeper ??= setInterval(() => this.#sweep(), limits.checkEveryMs).unref();
  }

  /** The handshake on this connection is done. */
  pass(socket: Origin): void {
    const pending = this.#byName.get(nameOf(socket));
    if (pending !== undefined) this.#forget(pending);
  }

  /** Ends every handshake in progress. */
  clear(): void {
    for (const { socket } of [...this.#byName.values()]) socket.destroy();
  }

  /** Ends those that have begun, which nobody has to answer for: what begins from now on is under other certificates. */
  endBegun(): void {
    for (const pending of [...this.#shaking.members()]) {
      this.#forget(pending);
      pending.socket.destroy();
    }
  }

  #spoke(pending: Pending<S>): void {
    if (!this.#silent.delete(pending)) return;
    this.#ready.add(pending, pending.group);
    if (this.#isTurnDue) return;
    this.#isTurnDue = true;
    setImmediate(() => this.#takeTurn());
  }

  #takeTurn(): void {
    this.#afterArrivals(() => {
      this.#dropLate();
      const next = this.#next();
      const hasRoom = next === undefined || this.#makePlace(next);
      if (next !== undefined && hasRoom) this.#start(next);
      this.#isTurnDue = this.#ready.size > 0;
      if (this.#isTurnDue && hasRoom) this.#takeTurn();
      if (!hasRoom) setTimeout(() => this.#takeTurn(), RETRY_MS).unref();
    });
  }

  /** Called between two turns: acts after a whole one in which nobody has come. */
  #afterArrivals(act: () => void, turns = TURNS_FOR_ARRIVALS): void {
    const before = this.#arrivals;
    setImmediate(() => {
      if (this.#arrivals === before || turns === 0) act();
      else this.#afterArrivals(act, turns - 1);
    });
  }

  /** Where more come than can be served, the newest overtake the others for good: whoever is put out can try again. */
  #dropLate(): void {
    const { handshakesLate, turnMs } = this.#options.limits;
    while (this.#ready.size > handshakesLate) {
      const victim = this.#ready.oldestOfLargest();
      if (victim === undefined || !this.#isOlder(victim, turnMs)) return;
      this.#evict(victim);
    }
  }

  /** Known addresses first, then those with the fewest failed or unfinished handshakes; of these the newest. */
  #next(): Pending<S> | undefined {
    const { book } = this.#options;
    const failures = (group: string) => book.failures(group) + this.#shaking.sizeOf(group);
    return this.#ready.newestOfBest((group) =>
      book.isKnown(group) ? -1 : Math.min(failures(group), MANY_FAILURES),
    );
  }

  /** Returns whether there is room in TLS for this one. */
  #makePlace({ group }: Pending<S>): boolean {
    const { limits, book } = this.#options;
    while (this.#shaking.size >= limits.handshakesAtOnce) {
      const victim = this.#shaking.oldestOfLargest(...this.#kept);
      if (victim === undefined) return false;
      const isBetter = book.isKnown(group) || book.failures(victim.group) > book.failures(group) + 1;
      if (!this.#isOlder(victim, isBetter ? limits.betterGraceMs : limits.handshakeGraceMs)) return false;
      this.#evict(victim);
    }
    return true;
  }

  #start(pending: Pending<S>): void {
    this.#ready.delete(pending);
    this.#shaking.add(pending, pending.group);
    pending.since = this.#options.clock.monotonic();
    this.#options.start(pending.socket);
  }

  /** First closes connections that have had time to send something but have not; then the oldest of the largest group. */
  #makeRoom(): boolean {
    const silent = this.#silent.oldestOfLargest(...this.#kept);
    const victim =
      silent !== undefined && this.#isOlder(silent, this.#options.limits.handshakeGraceMs)
        ? silent
        : this.#all.oldestOfLargest(...this.#kept);
    if (victim === undefined) return false;
    this.#evict(victim);
    return true;
  }

  #isOlder({ since }: Pending<S>, ms: number): boolean {
    return this.#options.clock.monotonic() - since >= ms;
  }

  #evict(pending: Pending<S>): void {
    this.#options.onEvicted(pending.socket);
    this.#fail(pending);
    pending.socket.resetAndDestroy();
  }

  /** Connections in TLS have the same time limit there. */
  #sweep(): void {
    const { limits, onTimeout } = this.#options;
    for (const pending of [...this.#byName.values()]) {
      if (this.#shaking.has(pending)) continue;
      if (!this.#isOlder(pending, limits.handshakeMs)) break; // the rest came later
      onTimeout(pending.socket);
      pending.socket.destroy();
    }
  }

  #fail(pending: Pending<S>): void {
    if (this.#forget(pending)) this.#options.book.fail(pending.group);
  }

  #forget(pending: Pending<S>): boolean {
    if (!this.#all.delete(pending)) return false;
    this.#silent.delete(pending);
    this.#ready.delete(pending);
    this.#shaking.delete(pending);
    this.#byName.delete(pending.name);
    if (this.#all.size === 0) {
      clearInterval(this.#sweeper);
      this.#sweeper = undefined;
    }
    return true;
  }
}

/** Both ends: a host with two addresses can be reached from one port twice. */
function nameOf({ remoteAddress, remotePort, localAddress }: Origin): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
