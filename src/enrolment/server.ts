/** `kick pki serve`: HTTPS for nodes without a certificate, and for those whose certificate is to be renewed. */
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { KickError, systemCode } from '../errors.ts';
import type { Enrolments } from '../pki/enrolments.ts';
import type { Identity } from '../pki/identity.ts';
import { addressOf, guardServer } from '../transport/guard/guard-server.ts';
import { LISTENER_LIMITS } from '../transport/https/limits.ts';
import { serverOptions } from '../transport/https/server-options.ts';
import { tlsOptions } from '../transport/tls/options.ts';
import { addressGroup } from '../util/address-group.ts';
import type { Clock } from '../util/clock.ts';
import { listening } from '../util/listening.ts';
import type { Log } from '../util/log.ts';
import { quietLog } from '../util/quiet-log.ts';
import { createRoutes } from './routes.ts';

/**
 * Everybody is a stranger here: who has a certificate of ours is one of many nodes, and comes before no other. A node asks once and
 * goes; one address may be that of a whole site.
 */
const LIMITS = { ...LISTENER_LIMITS, strangers: 256, perStranger: 32 };
/** Of a connection on which nothing moves: whoever asks for the CRL has to read it. */
const IDLE_MS = 20_000;

export interface EnrolmentServerOptions {
  identity: Identity;
  enrolments: Enrolments;
  /** 0: any that is free. */
  port: number;
  /** Defaults to all addresses. */
  bind?: string | undefined;
  clock: Clock;
  log: Log;
}

export interface EnrolmentServer {
  port: number;
  /** For connections from now on. Throws for certificates that do not fit together; then the old ones stay. */
  setIdentity(identity: Identity): void;
  close(): Promise<void>;
}

/** Throws `KickError` `config` if it cannot listen. */
export async function openEnrolmentServer({
  identity,
  enrolments,
  port,
  bind,
  clock,
  log,
}: EnrolmentServerOptions): Promise<EnrolmentServer> {
  let current = identity;
  const quiet = quietLog(log, clock);
  const server = createServer(
    // A node without a certificate has to get in: who has none of ours is told so by the routes.
    { ...serverOptions(identity, LIMITS), rejectUnauthorized: false },
    createRoutes({ identity: () => current, enrolments, log, quiet }),
  );
  server.maxHeadersCount = LIMITS.headerCount;
  server.maxRequestsPerSocket = 1; // each is judged by the current CRL
  server.timeout = IDLE_MS;
  const guard = guardServer(server, {
    ...{ limits: LIMITS, clock, quiet, quietRoom: quietLog(log, clock) },
    ownerOf: (socket) => ({ name: addressGroup(addressOf(socket)), isKnown: false }),
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    quiet({ address: addressOf(socket), reason: systemCode(error) ?? error.message }, 'TLS handshake failed');
    socket.destroy();
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, { port, bind });
  return {
    port: (server.address() as AddressInfo).port,
    setIdentity(next) {
      server.setSecureContext(tlsOptions(next));
      current = next;
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      guard.dropPending();
      server.closeAllConnections();
      return closed;
    },
  };
}

async function listen(
  server: Server,
  { port, bind }: Pick<EnrolmentServerOptions, 'port' | 'bind'>,
): Promise<void> {
  try {
    await listening(server, { port, backlog: LIMITS.backlog, ...(bind !== undefined && { host: bind }) });
  } catch (error) {
    throw new KickError('config', `listen on port ${port}: ${systemCode(error) ?? 'failed'}`, {
      hint: 'see --port and --bind; perhaps another kick pki serve listens there: ss -ltnp',
      cause: error,
    });
  }
}
