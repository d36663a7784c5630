/**
 * Strangers cost little: connections that have not finished their handshake are counted, a few per
 * address and a few dozen in all, and the rest are reset (facts: maxConnections alone lets one
 * address lock everybody out).
 */
import { isIPv4, type Socket } from 'node:net';

export interface GateLimits {
  handshakes: number;
  handshakesPerAddress: number;
}

export class HandshakeGate {
  readonly #limits: GateLimits;
  readonly #pending = new Map<string, Socket>();
  readonly #perAddress = new Map<string, number>();

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /** Lets a new connection begin its handshake, or resets it and says false. */
  enter(socket: Socket): boolean {
    if (socket.remoteAddress === undefined) {
      socket.destroy();
      return false;
    }
    const name = nameOf(socket);
    const group = addressGroup(socket.remoteAddress);
    const count = this.#perAddress.get(group) ?? 0;
    if (this.#pending.size >= this.#limits.handshakes || count >= this.#limits.handshakesPerAddress) {
      socket.resetAndDestroy();
      return false;
    }
    this.#pending.set(name, socket);
    this.#perAddress.set(group, count + 1);
    socket.once('close', () => this.#leave(name, socket, group));
    return true;
  }

  /** The handshake on this connection is done. */
  pass(socket: Socket): void {
    const raw = this.#pending.get(nameOf(socket));
    if (raw !== undefined) this.#leave(nameOf(socket), raw, addressGroup(socket.remoteAddress ?? ''));
  }

  /** Ends every handshake in progress. */
  clear(): void {
    for (const socket of this.#pending.values()) socket.destroy();
  }

  get size(): number {
    return this.#pending.size;
  }

  #leave(name: string, socket: Socket, group: string): void {
    if (this.#pending.get(name) !== socket) return;
    this.#pending.delete(name);
    const left = (this.#perAddress.get(group) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(group);
    else this.#perAddress.set(group, left);
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

/** Whom an address belongs to: an IPv4 address is one host, an IPv6 host has a /64. */
export function addressGroup(address: string): string {
  const plain = plainAddress(address);
  if (isIPv4(plain)) return plain;
  const [head = '', tail = ''] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0');
  return [...before, ...zeros, ...after].slice(0, 4).join(':');
}

/** An IPv4 address without the dress of a dual-stack socket. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}
