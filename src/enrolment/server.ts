/** `kick pki serve`: HTTPS for nodes without a certificate, and for those whose certificate is to be renewed. */
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { KickError, systemCode } from '../errors.ts';
import type { Enrolments } from '../pki/enrolments.ts';
import type { Identity } from '../pki/identity.ts';
import { tlsOptions } from '../transport/tls/options.ts';
import { plainAddress } from '../util/address-group.ts';
import type { Clock } from '../util/clock.ts';
import { shareConnections } from '../util/connection-shares.ts';
import { listening } from '../util/listening.ts';
import type { Log } from '../util/log.ts';
import { quietLog } from '../util/quiet-log.ts';
import { createRoutes } from './routes.ts';

/** Milliseconds, bytes. A node asks once and goes. */
const LIMITS = {
  handshakeTimeout: 5000,
  headersTimeout: 5000,
  requestTimeout: 10_000,
  connectionsCheckingInterval: 1000,
  maxHeaderSize: 8192,
};
const MAX_HEADERS = 40;
const MAX_CONNECTIONS = 512;
/** Of a connection on which nothing moves: whoever asks for the CRL has to read it. */
const IDLE_MS = 20_000;
/** Of one host, or of those behind one address. */
const MAX_CONNECTIONS_EACH = 32;

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
    serverOptions(identity),
    createRoutes({ identity: () => current, enrolments, log, quiet }),
  );
  server.maxHeadersCount = MAX_HEADERS;
  server.maxRequestsPerSocket = 1; // each is judged by the current CRL
  server.maxConnections = MAX_CONNECTIONS;
  server.timeout = IDLE_MS;
  shareConnections(server, MAX_CONNECTIONS_EACH);
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const address = plainAddress(socket.remoteAddress ?? '');
    quiet({ address, reason: systemCode(error) ?? error.message }, 'TLS handshake failed');
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
      server.closeAllConnections();
      return closed;
    },
  };
}

/** A node without a certificate has to get in: who has none of ours is told so by the routes. */
function serverOptions(identity: Identity): ServerOptions {
  return {
    ...tlsOptions(identity),
    ...LIMITS,
    requestCert: true,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  };
}

async function listen(
  server: Server,
  { port, bind }: Pick<EnrolmentServerOptions, 'port' | 'bind'>,
): Promise<void> {
  try {
    await listening(server, { port, ...(bind !== undefined && { host: bind }) });
  } catch (error) {
    throw new KickError('config', `listen on port ${port}: ${systemCode(error) ?? 'failed'}`, {
      hint: 'see --port and --bind; perhaps another kick pki serve listens there: ss -ltnp',
      cause: error,
    });
  }
}
