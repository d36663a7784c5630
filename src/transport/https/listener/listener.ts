/** DESIGN 6, the agent's side of the seam over HTTPS: hardened mutual TLS 1.3. */
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { KickError, systemCode } from '../../../errors.ts';
import type { Identity } from '../../../pki/identity.ts';
import { plainAddress } from '../../../util/address-group.ts';
import { type Clock, systemClock } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';
import { quietLog } from '../../../util/quiet-log.ts';
import { tlsOptions } from '../../tls/options.ts';
import type { AgentService, Listener } from '../../transport.ts';
import { LISTENER_LIMITS, type ListenerLimits } from '../limits.ts';
import { agentApp } from './agent-app.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { guardConnections } from './connection-guard.ts';
import { originOf } from './origin.ts';

export interface ListenHttpsOptions {
  identity: Identity;
  /** 0: any; undefined: none, and connections only come in by `accept`. */
  port: number | undefined;
  /** Address to listen on; defaults to all. */
  bind?: string;
  log: Log;
  clock?: Clock;
  limits?: Partial<ListenerLimits>;
}

export interface HttpsListener extends Listener {
  /** Uses another certificate, CAs and CRLs from now on; if they are unusable, throws and changes nothing. */
  setIdentity(identity: Identity): void;
  /** Takes a connection that came in another way, under the same limits. It has the fields of `Origin`. */
  accept(stream: Duplex): void;
}

/** Listens; throws `KickError` `config` if the port or address is not available. */
export async function listenHttps(
  service: AgentService,
  options: ListenHttpsOptions,
): Promise<HttpsListener> {
  const { identity, log, clock = systemClock } = options;
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const quiet = quietLog(log, clock);
  const app = await agentApp(service, { log, quiet, limits });
  const server = createServer(serverOptions(identity, limits), app);
  server.on('checkContinue', app); // it asks for the body itself
  server.on('checkExpectation', app); // and knows no other expectation
  server.maxHeadersCount = limits.headerCount;
  server.maxRequestsPerSocket = 1; // each request is checked against the current CAs and CRLs

  let { denied } = identity;
  const guard = guardConnections(server, service, {
    limits,
    clock,
    denies: (certificate) => denied?.denies(certificate),
    quiet,
    quietRoom: quietLog(log, clock),
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const address = plainAddress(originOf(socket).remoteAddress ?? '');
    quiet({ address, reason: reasonOf(error, socket) }, 'TLS handshake failed');
    socket.destroy();
  });
  answerBrokenRequest(server, quiet);

  const { port } = options;
  if (port !== undefined) await listen(server, { ...options, port });
  return {
    port: port === undefined ? 0 : (server.address() as AddressInfo).port,
    accept: (stream) => void server.emit('connection', stream),
    setIdentity(next) {
      server.setSecureContext(tlsOptions(next));
      denied = next.denied;
      // Peers admitted under the old trust that have not asked yet must reconnect.
      guard.dropUnused();
      server.closeIdleConnections();
    },
    async close() {
      // Without a port it is not listening, and closes no connections by itself.
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      guard.dropPending();
      guard.dropUnused();
      const timer = setTimeout(() => server.closeAllConnections(), limits.closeMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

function serverOptions(identity: Identity, limits: ListenerLimits): ServerOptions {
  return {
    ...tlsOptions(identity),
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    handshakeTimeout: limits.handshakeMs,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    connectionsCheckingInterval: limits.checkEveryMs,
    maxHeaderSize: limits.headerBytes,
    noDelay: true,
  };
}

/** OpenSSL's or Node's reason; Node keeps the verdict on a certificate on the socket. */
function reasonOf(error: Error, socket: TLSSocket): string {
  const verdict: unknown = socket.authorizationError;
  return typeof verdict === 'string' ? verdict : (systemCode(error) ?? error.message);
}

async function listen(
  server: Server,
  { port, bind, limits }: ListenHttpsOptions & { port: number },
): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(
        {
          port,
          backlog: limits?.backlog ?? LISTENER_LIMITS.backlog,
          ...(bind !== undefined && { host: bind }),
        },
        () => {
          server.off('error', reject);
          resolve();
        },
      );
    });
  } catch (error) {
    const where = bind === undefined ? `port ${port}` : `"${bind}" port ${port}`;
    throw new KickError('config', `listening on ${where}: ${systemCode(error) ?? 'failed'}`, {
      hint: hintFor(systemCode(error)),
      cause: error,
    });
  }
}

function hintFor(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'something listens there already, perhaps another kick agent: ss -ltnp';
  if (code === 'EACCES') return 'ports below 1024 need root';
  return 'see --bind and --port';
}
