/** A gate before TLS, without TLS and without connections: visitors who do what a test says. */
import { EventEmitter } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { AddressBook } from '../../src/transport/guard/address-book.ts';
import { HandshakeGate } from '../../src/transport/guard/handshake-gate.ts';

const LIMITS = {
  handshakeMs: 5000,
  checkEveryMs: 1_000_000,
  handshakes: 8,
  handshakesAtOnce: 2,
  handshakesLate: 3,
  turnMs: 500,
  handshakeGraceMs: 1000,
  betterGraceMs: 100,
  keptPerKnown: 2,
};

/** A connection that does what a test says. */
export class Visitor extends EventEmitter {
  readonly remoteAddress: string;
  readonly remotePort: number;
  isOpen = true;

  constructor(address: string, port: number) {
    super();
    this.remoteAddress = address;
    this.remotePort = port;
  }

  speak(): void {
    this.emit('readable');
  }

  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.emit('close');
  }

  resetAndDestroy(): void {
    this.destroy();
  }
}

export function openGate(limits: Partial<typeof LIMITS> = {}) {
  let now = 0;
  let ports = 1;
  const clock = { monotonic: () => now };
  const book = new AddressBook(clock);
  const started: string[] = [];
  const gate = new HandshakeGate<Visitor>({
    clock,
    book,
    limits: { ...LIMITS, ...limits },
    onceSpoken: (visitor, listener) => visitor.once('readable', listener),
    start: ({ remoteAddress }) => started.push(remoteAddress),
    onEvicted: () => {},
    onTimeout: () => {},
  });
  onTestFinished(() => gate.clear());
  const visit = (address: string) => {
    const visitor = new Visitor(address, ports++);
    gate.enter(visitor);
    return visitor;
  };
  const later = (ms: number) => {
    now += ms;
  };
  return { gate, book, started, visit, later };
}

export const openOf = (visitors: readonly Visitor[]) => visitors.filter(({ isOpen }) => isOpen);

/** What is left of this turn of the event loop, and a whole one in which nobody comes: then a handshake begins. */
export async function calm(): Promise<void> {
  await turn();
  await turn();
}
