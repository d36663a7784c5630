/** Guards a server's connections: a gate before TLS, a limited number of places after it. */
import { createHash } from 'node:crypto';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { addressGroup, plainAddress } from '../../../util/address-group.ts';
import type { Clock } from '../../../util/clock.ts';
import type { QuietLog } from '../../../util/quiet-log.ts';
import type { AgentService } from '../../transport.ts';
import type { ListenerLimits } from '../limits.ts';
import { AddressBook } from './address-book.ts';
import { HandshakeGate } from './handshake-gate.ts';
import { OpenConnections } from './open-connections.ts';
import { originOf } from './origin.ts';
import { disown, peerCertificate } from './peer-certificate.ts';

export interface ConnectionGuard {
  /** Ends every unfinished handshake. */
  dropPending(): void;
  /** Ends the connections on which nothing has been asked yet. */
  dropUnused(): void;
}

export interface GuardOptions {
  limits: ListenerLimits;
  clock: Clock;
  /** The entry by which this host denies a certificate, if any does. */
  denies: (certificate: Uint8Array) => string | undefined;
  /** For handshakes that failed. */
  quiet: QuietLog;
  /** For connections that had to make room; separate, so that a flood of them hides no other lines. */
  quietRoom: QuietLog;
}

/** Takes over a server's connections; limits on the requests remain the server's. */
export function guardConnections(
  server: Server,
  service: Pick<AgentService, 'isController'>,
  { limits, clock, denies, quiet, quietRoom }: GuardOptions,
): ConnectionGuard {
  const book = new AddressBook(clock);
  const open = new OpenConnections<TLSSocket>(limits, (socket) => {
    const address = plainAddress(originOf(socket).remoteAddress ?? '');
    quietRoom({ address }, 'too many connections: this one made room');
    socket.destroy();
  });
  const gate = new HandshakeGate<Socket>({
    limits,
    clock,
    book,
    start: takeOver(server, (socket) => gate.enter(socket)),
    onEvicted: ({ remoteAddress = '' }) =>
      quietRoom({ address: plainAddress(remoteAddress) }, 'too many handshakes: this one made room'),
    onTimeout: ({ remoteAddress = '' }) =>
      quiet(
        { address: plainAddress(remoteAddress), reason: 'ERR_TLS_HANDSHAKE_TIMEOUT' },
        'TLS handshake failed',
      ),
  });
  server.on('secureConnection', (socket: TLSSocket) => {
    const origin = originOf(socket);
    gate.pass(origin);
    const certificate = peerCertificate(socket);
    if (certificate === undefined) return;
    const entry = denies(certificate);
    if (entry !== undefined) {
      const address = plainAddress(origin.remoteAddress ?? '');
      quiet({ address, reason: `denied here: ${entry}` }, 'TLS handshake failed');
      disown(socket);
      socket.destroy();
      return;
    }
    const isController = service.isController(certificate);
    if (isController) book.welcome(addressGroup(origin.remoteAddress ?? ''));
    open.add(socket, { name: fingerprintOf(certificate), isController });
    socket.once('close', () => open.delete(socket));
  });
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    server.prependListener(event, ({ socket }) => open.use(socket as TLSSocket));
  }
  return {
    dropPending: () => gate.clear(),
    dropUnused() {
      for (const socket of open.unused()) socket.destroy();
    },
  };
}

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

function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('base64');
}
