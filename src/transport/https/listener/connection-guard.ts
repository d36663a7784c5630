/** Guards a server's connections: a gate before TLS, a limited number of places after it. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
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
  /** All that are open. */
  open(): TLSSocket[];
  /** Open connections, and when a controller had one last (monotonic milliseconds). */
  inUse(): { connections: number; controllerAt: number | undefined };
  /** Whether a connection has no answer yet, nor the head of one. */
  isAsked(): boolean;
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

const REQUESTS = ['request', 'checkContinue', 'checkExpectation'] as const;

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
  const isAnswering = answersOf(server);
  let controllerAt: number | undefined;
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
    if (isController) controllerAt = clock.monotonic();
    socket.once('close', () => {
      open.delete(socket);
      if (isController) controllerAt = clock.monotonic();
    });
  });
  for (const event of REQUESTS) server.prependListener(event, ({ socket }) => open.use(socket as TLSSocket));
  return {
    dropPending: () => gate.clear(),
    dropUnused() {
      for (const socket of open.unused()) socket.destroy();
    },
    open: () => open.all(),
    inUse: () => ({ connections: gate.size + open.size, controllerAt }),
    isAsked: () => gate.size > 0 || open.unused().length > 0 || isAnswering(),
  };
}

/** Returns whether a request waits for the head of its answer. */
function answersOf(server: Server): () => boolean {
  const answers = new Set<ServerResponse>();
  for (const event of REQUESTS) {
    server.prependListener(event, (_request, response) => {
      answers.add(response);
      response.once('close', () => answers.delete(response));
    });
  }
  return () => [...answers].some(({ headersSent }) => !headersSent);
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
