/** DESIGN 6, the agent's side of the seam over HTTPS: mutual TLS 1.3, hardened as facts say. */
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { KickError, systemCode } from '../../../errors.ts';
import type { Identity } from '../../../pki/identity.ts';
import { type Clock, systemClock } from '../../../util/clock.ts';
import type { Log } from '../../../util/log.ts';
import type { AgentService, Listener } from '../../transport.ts';
import { LISTENER_LIMITS, type ListenerLimits } from '../limits.ts';
import { tlsOptions } from '../tls-options.ts';
import { agentApp } from './agent-app.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { HandshakeGate, plainAddress } from './handshake-gate.ts';
import { quietLog } from './quiet-log.ts';

export interface ListenHttpsOptions {
  identity: Identity;
  /** 0: any. */
  port: number;
  /** Address to listen on; all of them unless told. */
  bind?: string;
  log: Log;
  clock?: Clock;
  limits?: Partial<ListenerLimits>;
}

export interface HttpsListener extends Listener {
  /** From now on this certificate, these CAs and CRLs; throws and changes nothing when they are unusable. */
  setIdentity(identity: Identity): void;
}

/** Listens; throws `KickError` `config` when the port or address cannot be had. */
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
  server.maxRequestsPerSocket = 1; // each request meets the trust of its own moment
  server.maxConnections = limits.connections;

  const gate = new HandshakeGate(limits);
  guardConnections(server, gate);
  const unused = trackUnused(server);
  server.on('secureConnection', (socket: TLSSocket) => gate.pass(socket));
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    quiet({ address: addressOf(socket), reason: reasonOf(error, socket) }, 'TLS handshake failed');
    socket.destroy();
  });
  answerBrokenRequest(server, quiet);

  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    setIdentity(next) {
      server.setSecureContext(tlsOptions(next));
      // Who was let in under the old trust and has not asked yet comes again.
      for (const socket of unused) socket.destroy();
      server.closeIdleConnections();
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      gate.clear();
      for (const socket of unused) socket.destroy();
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

/** The gate stands before TLS: what it turns away costs no handshake. */
function guardConnections(server: Server, gate: HandshakeGate): void {
  const startTls = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => socket.destroy());
    if (!gate.enter(socket)) return;
    for (const start of startTls) start.call(server, socket);
  });
}

/** The connections that have finished their handshake and asked nothing yet. */
function trackUnused(server: Server): ReadonlySet<Socket> {
  const unused = new Set<Socket>();
  server.on('secureConnection', (socket: TLSSocket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    server.prependListener(event, ({ socket }) => unused.delete(socket));
  }
  return unused;
}

/** Node has let go of the connection by then; the bare socket below (no public name) remembers. */
function addressOf(socket: TLSSocket & { _parent?: Socket }): string {
  return plainAddress(socket.remoteAddress ?? socket._parent?.remoteAddress ?? '');
}

/** OpenSSL's or Node's word for it; Node keeps the verdict on a certificate on the socket. */
function reasonOf(error: Error, socket: TLSSocket): string {
  const verdict: unknown = socket.authorizationError;
  return typeof verdict === 'string' ? verdict : (systemCode(error) ?? error.message);
}

async function listen(server: Server, { port, bind }: ListenHttpsOptions): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, ...(bind !== undefined && { host: bind }) }, () => {
        server.off('error', reject);
        resolve();
      });
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
  if (code === 'EADDRINUSE') return 'something listens there already, another kick agent perhaps: ss -ltnp';
  if (code === 'EACCES') return 'ports below 1024 need root';
  return 'see --bind and --port';
}
