/** Guards a TLS server's connections: a gate before TLS, a limited number of places after it. */
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { addressGroup, plainAddress } from '../../util/address-group.ts';
import type { Clock } from '../../util/clock.ts';
import type { QuietLog } from '../../util/quiet-log.ts';
import { AddressBook } from './address-book.ts';
import { onceHello } from './client-hello.ts';
import { HandshakeGate } from './handshake-gate.ts';
import type { GateLimits } from './limits.ts';
import { OpenConnections, type OpenLimits, type Owner } from './open-connections.ts';
import { originOf } from './origin.ts';

export type GuardLimits = GateLimits & OpenLimits;

export interface GuardOptions {
  limits: GuardLimits;
  clock: Clock;
  /** For handshakes that failed. */
  quiet: QuietLog;
  /** For connections that had to make room; separate, so that a flood of them hides no other lines. */
  quietRoom: QuietLog;
  /** Whose a connection is, once its handshake is done; undefined: nobody's, and it has been closed. */
  ownerOf(socket: TLSSocket): Owner | undefined;
}

export interface ServerGuard {
  /** Connections before and after TLS. */
  size(): { pending: number; open: number };
  /** Those after TLS. */
  all(): TLSSocket[];
  /** Connections on which nothing has been asked yet. */
  unused(): readonly TLSSocket[];
  /** Ends every unfinished handshake. */
  dropPending(): void;
  /** Ends the handshakes that have begun: OpenSSL would judge them by the certificates that they have begun with. */
  dropBegun(): void;
  /** Whoever asks on this connection may: it is no stranger's, and its address is preferred for a day. */
  know(socket: Socket): void;
}

export const REQUESTS = ['request', 'checkContinue', 'checkExpectation'] as const;

/** Takes over a server's connections; limits on the requests remain the server's. */
export function guardServer(
  server: Server,
  { limits, clock, quiet, quietRoom, ownerOf }: GuardOptions,
): ServerGuard {
  const book = new AddressBook(clock);
  const open = new OpenConnections<TLSSocket>(limits, (socket) => {
    quietRoom({ address: addressOf(socket) }, 'too many connections: this one made room');
    socket.destroy();
  });
  const gate = new HandshakeGate<Socket>({
    limits,
    clock,
    book,
    onceSpoken: onceHello,
    start: takeOver(server, (socket) => gate.enter(socket)),
    onEvicted: ({ remoteAddress = '' }) =>
      quietRoom({ address: plainAddress(remoteAddress) }, 'too many handshakes: this one made room'),
    onTimeout: ({ remoteAddress = '' }) =>
      quiet(
        { address: plainAddress(remoteAddress), reason: 'ERR_TLS_HANDSHAKE_TIMEOUT' },
        'TLS handshake failed',
      ),
  });
  const welcome = (socket: TLSSocket) => book.welcome(addressGroup(originOf(socket).remoteAddress ?? ''));
  server.on('secureConnection', (socket: TLSSocket) => {
    gate.pass(originOf(socket));
    const owner = ownerOf(socket);
    if (owner === undefined) return;
    if (owner.isKnown) welcome(socket);
    open.add(socket, owner);
    socket.once('close', () => open.delete(socket));
  });
  for (const event of REQUESTS) server.prependListener(event, ({ socket }) => open.use(socket as TLSSocket));
  return {
    size: () => ({ pending: gate.size, open: open.size }),
    all: () => open.all(),
    unused: () => open.unused(),
    dropPending: () => gate.clear(),
    dropBegun: () => gate.endBegun(),
    know(socket) {
      open.know(socket as TLSSocket);
      welcome(socket as TLSSocket);
    },
  };
}

/** An address, as limits and the log mean it. */
export const addressOf = (socket: TLSSocket) => plainAddress(originOf(socket).remoteAddress ?? '');

/** Takes over the server's new connections; returns the function that starts TLS on one. */
function takeOver(server: Server, enter: (socket: Socket) => void): (socket: Socket) => void {
  const startTls = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    enter(socket);
  });
  return (socket) => {
    for (const start of startTls) start.call(server, socket);
  };
}
