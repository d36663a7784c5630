/** Whose the connections to an agent are, and which of them keep it from its end. */
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../../util/clock.ts';
import { addressOf, type GuardOptions, guardServer, REQUESTS } from '../../guard/guard-server.ts';
import type { Owner } from '../../guard/open-connections.ts';
import type { AgentService } from '../../transport.ts';
import { disown, peerCertificate } from './peer-certificate.ts';

export interface ConnectionGuard {
  /** Ends every unfinished handshake. */
  dropPending(): void;
  /** Ends the handshakes that have begun under other certificates. */
  dropBegun(): void;
  /** Ends the connections on which nothing has been asked yet. */
  dropUnused(): void;
  /** All that are open. */
  open(): TLSSocket[];
  /** Open connections, and when a controller had one last (monotonic milliseconds). */
  inUse(): { connections: number; controllerAt: number | undefined };
  /** Whether a connection has no answer yet, nor the head of one. */
  isAsked(): boolean;
}

export interface ConnectionGuardOptions extends Omit<GuardOptions, 'ownerOf'> {
  clock: Clock;
  /** The entry by which this host denies a certificate, if any does. */
  denies: (certificate: Uint8Array) => string | undefined;
}

/** Takes over a server's connections; limits on the requests remain the server's. */
export function guardConnections(
  server: Server,
  service: Pick<AgentService, 'isController'>,
  { denies, ...options }: ConnectionGuardOptions,
): ConnectionGuard {
  const { clock, quiet } = options;
  const isAnswering = answersOf(server);
  let controllerAt: number | undefined;

  function ownerOf(socket: TLSSocket): Owner | undefined {
    const certificate = peerCertificate(socket);
    if (certificate === undefined) return undefined;
    const entry = denies(certificate);
    if (entry !== undefined) {
      quiet({ address: addressOf(socket), reason: `denied here: ${entry}` }, 'TLS handshake failed');
      disown(socket);
      socket.destroy();
      return undefined;
    }
    const isController = service.isController(certificate);
    if (isController) {
      controllerAt = clock.monotonic();
      socket.once('close', () => {
        controllerAt = clock.monotonic();
      });
    }
    return { name: fingerprintOf(certificate), isKnown: isController };
  }

  const guard = guardServer(server, { ...options, ownerOf });
  return {
    dropPending: () => guard.dropPending(),
    dropBegun: () => guard.dropBegun(),
    dropUnused() {
      for (const socket of guard.unused()) socket.destroy();
    },
    open: () => guard.all(),
    inUse() {
      const { pending, open } = guard.size();
      return { connections: pending + open, controllerAt };
    },
    isAsked: () => guard.size().pending > 0 || guard.unused().length > 0 || isAnswering(),
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

function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('base64');
}
