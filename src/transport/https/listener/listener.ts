/** DESIGN 6, the agent's side of the seam over HTTPS: hardened mutual TLS 1.3. */
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { KickError, messageOf, systemCode } from '../../../errors.ts';
import type { Identity } from '../../../pki/identity.ts';
import { plainAddress } from '../../../util/address-group.ts';
import { type Clock, sleep, systemClock } from '../../../util/clock.ts';
import { listening } from '../../../util/listening.ts';
import type { Log } from '../../../util/log.ts';
import { type QuietLog, quietLog } from '../../../util/quiet-log.ts';
import { originOf } from '../../guard/origin.ts';
import { tlsOptions } from '../../tls/options.ts';
import type { AgentService, LocalListener } from '../../transport.ts';
import { LISTENER_LIMITS, type ListenerLimits } from '../limits.ts';
import { serverOptions } from '../server-options.ts';
import { type AgentAppOptions, agentApp } from './agent-app.ts';
import { answerBrokenRequest } from './broken-request.ts';
import { type ConnectionGuard, guardConnections } from './connection-guard.ts';
import { disown } from './peer-certificate.ts';

/** Milliseconds between looks at the last connections. */
const LOOK_MS = 20;

export interface ListenHttpsOptions {
  identity: Identity;
  /** 0: any; undefined: none, and connections only come in by `accept`. */
  port: number | undefined;
  /** Address to listen on; defaults to all. */
  bind?: string;
  /** A descriptor that listens already, instead of port and address: whoever made it holds it beyond our end. */
  descriptor?: number;
  log: Log;
  clock?: Clock;
  limits?: Partial<ListenerLimits>;
}

export interface HttpsListener extends LocalListener {
  /**
   * Uses another certificate, CAs and CRLs from now on; if they are unusable, throws and changes nothing. Streams go on, but
   * for those whose peer is no longer believed.
   */
  setIdentity(identity: Identity): void;
  /** Takes a connection that came in another way, under the same limits. It has the fields of `Origin`. */
  accept(stream: Duplex): void;
}

/** Listens; throws `KickError` `config` if the port, address or descriptor cannot be used. */
export function listenHttps(service: AgentService, options: ListenHttpsOptions): Promise<HttpsListener> {
  return listenWith(service, options, (parts) => agentApp(service, parts));
}

/** The same with another answer to requests than the agent's own. */
export async function listenWith(
  service: Pick<AgentService, 'isController'>,
  options: ListenHttpsOptions,
  makeApp: (parts: Omit<AgentAppOptions, 'peerOf'>) => Promise<RequestListener>,
): Promise<HttpsListener> {
  const { identity, log, clock = systemClock, port, descriptor } = options;
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const quiet = quietLog(log, clock);
  const app = await makeApp({ log, quiet, limits });
  const server = createServer(serverOptions(identity, limits), app);
  server.on('checkContinue', app); // it asks for the body itself
  server.on('checkExpectation', app); // and knows no other expectation
  server.maxHeadersCount = limits.headerCount;
  server.maxRequestsPerSocket = 1; // each request is checked against the current CAs and CRLs

  let current = identity;
  const guard = guardConnections(server, service, {
    limits,
    clock,
    denies: (certificate) => current.denied?.denies(certificate),
    quiet,
    quietRoom: quietLog(log, clock),
  });
  endBrokenHandshakes(server, quiet);
  answerBrokenRequest(server, quiet);

  if (descriptor !== undefined) await listenOn(server, { descriptor, backlog: limits.backlog });
  else if (port !== undefined) await listen(server, { ...options, port });
  return {
    port: (server.address() as AddressInfo | null)?.port ?? 0,
    accept: (stream) => void server.emit('connection', stream),
    inUse: () => guard.inUse(),
    async leave() {
      // Not https.Server's: that one also ends the time limits of requests.
      NetServer.prototype.close.call(server);
      const from = clock.monotonic();
      while (guard.isAsked() && clock.monotonic() - from < limits.leaveMs) await sleep(LOOK_MS);
    },
    setIdentity(next) {
      server.setSecureContext(tlsOptions(next));
      const before = current;
      current = next;
      // Peers admitted, or being admitted, under the old trust that have not asked yet must reconnect.
      guard.dropBegun();
      guard.dropUnused();
      server.closeIdleConnections();
      void dropDistrusted(guard, { before, next }, { quiet, log });
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

function endBrokenHandshakes(server: Server, quiet: QuietLog): void {
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const address = plainAddress(originOf(socket).remoteAddress ?? '');
    quiet({ address, reason: reasonOf(error, socket) }, 'TLS handshake failed');
    socket.destroy();
  });
}

/** Never rejects: connections that cannot be judged are closed. */
async function dropDistrusted(
  guard: ConnectionGuard,
  change: { before: Identity; next: Identity },
  { quiet, log }: { quiet: QuietLog; log: Log },
): Promise<void> {
  if (guard.open().length === 0) return;
  let found = guard.open();
  try {
    const { distrusted } = await import('./distrusted.ts');
    found = distrusted(guard.open(), change);
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'open connections cannot be judged by the new CAs and CRLs');
  }
  for (const socket of found) {
    const address = plainAddress(originOf(socket).remoteAddress ?? '');
    quiet({ address }, 'connection closed: its certificate is not believed any more');
    disown(socket);
    socket.destroy();
  }
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
    const backlog = limits?.backlog ?? LISTENER_LIMITS.backlog;
    await listening(server, { port, backlog, ...(bind !== undefined && { host: bind }) });
  } catch (error) {
    const where = bind === undefined ? `port ${port}` : `"${bind}" port ${port}`;
    throw new KickError('config', `listening on ${where}: ${systemCode(error) ?? 'failed'}`, {
      hint: hintFor(systemCode(error)),
      cause: error,
    });
  }
}

/** Systemd's own backlog does not count: each listen(2) sets it anew. */
async function listenOn(
  server: Server,
  { descriptor, backlog }: { descriptor: number; backlog: number },
): Promise<void> {
  try {
    await listening(server, { fd: descriptor, backlog });
    if ((server.address() as AddressInfo | null)?.port !== undefined) return;
    server.close();
  } catch (error) {
    throw notListening(descriptor, error);
  }
  throw notListening(descriptor);
}

function notListening(descriptor: number, cause?: unknown): KickError {
  const why = cause === undefined ? 'a socket of this machine only' : (systemCode(cause) ?? messageOf(cause));
  return new KickError(
    'config',
    `listening on descriptor ${descriptor}: it is no TCP socket that listens (${why})`,
    {
      hint: 'the socket unit needs a ListenStream= with a port, and Accept=no',
      ...(cause !== undefined && { cause }),
    },
  );
}

function hintFor(code: string | undefined): string {
  if (code === 'EADDRINUSE') return 'something listens there already, perhaps another kick agent: ss -ltnp';
  if (code === 'EACCES') return 'ports below 1024 need root';
  return 'see --bind and --port';
}
