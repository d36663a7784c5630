/**
 * The connections after TLS. Those whose host has shown that it is one of ours have many places, and the least valuable are given
 * up first; all others share a few.
 */
import { Crowd } from './crowd.ts';

export interface OpenLimits {
  /** Connections of all known hosts together. */
  connections: number;
  perKnown: number;
  /** Connections of all other hosts. */
  strangers: number;
  perStranger: number;
}

export interface Owner {
  /** Of whom there are several connections: the fingerprint of a certificate (each renewal is another owner), or an address. */
  name: string;
  isKnown: boolean;
}

export class OpenConnections<T> {
  readonly #limits: OpenLimits;
  readonly #evict: (connection: T) => void;
  readonly #strangers = new Crowd<T>();
  /** Connections of known hosts on which nothing has been asked yet. */
  readonly #unused = new Crowd<T>();
  readonly #used = new Crowd<T>();
  readonly #owners = new Map<T, string>();

  constructor(limits: OpenLimits, evict: (connection: T) => void) {
    this.#limits = limits;
    this.#evict = evict;
  }

  get size(): number {
    return this.#owners.size;
  }

  /** The handshake is done. If there are too many connections of its kind, another one is closed. */
  add(connection: T, { name, isKnown }: Owner): void {
    if (isKnown) this.#makeRoomForKnown(name);
    else this.#makeRoomForStranger(name);
    this.#owners.set(connection, name);
    (isKnown ? this.#unused : this.#strangers).add(connection, name);
  }

  /** The head of a request has arrived. */
  use(connection: T): void {
    const owner = this.#owners.get(connection);
    if (owner !== undefined && this.#unused.delete(connection)) this.#used.add(connection, owner);
  }

  /** A request has shown that it is no stranger's. */
  know(connection: T): void {
    const owner = this.#owners.get(connection);
    if (owner === undefined || !this.#strangers.delete(connection)) return;
    this.#makeRoomForKnown(owner);
    this.#used.add(connection, owner);
  }

  delete(connection: T): void {
    this.#owners.delete(connection);
    for (const crowd of [this.#strangers, this.#unused, this.#used]) crowd.delete(connection);
  }

  all(): T[] {
    return [...this.#owners.keys()];
  }

  /** Connections on which nothing has been asked, or whose host may not ask anything. */
  unused(): T[] {
    return [...this.#unused.members(), ...this.#strangers.members()];
  }

  #makeRoomForStranger(name: string): void {
    const { strangers, perStranger } = this.#limits;
    while (this.#strangers.sizeOf(name) >= perStranger) this.#drop(this.#strangers.oldestOf(name));
    while (this.#strangers.size >= strangers) this.#drop(this.#strangers.oldestOfLargest());
  }

  #makeRoomForKnown(name: string): void {
    const { connections, perKnown } = this.#limits;
    while (this.#unused.sizeOf(name) + this.#used.sizeOf(name) >= perKnown) {
      this.#drop(this.#unused.oldestOf(name) ?? this.#used.oldestOf(name));
    }
    while (this.#unused.size + this.#used.size >= connections) {
      this.#drop(this.#unused.oldestOfLargest() ?? this.#used.oldestOfLargest());
    }
  }

  #drop(connection: T | undefined): void {
    if (connection === undefined) return;
    this.delete(connection);
    this.#evict(connection);
  }
}
