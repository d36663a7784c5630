/** DESIGN 14, the helper's side: the agent's API on a socket of this machine, for a listener that is not believed. */
import { chmod, lstat, unlink } from 'node:fs/promises';
import type { Server, ServerResponse } from 'node:http';
import { type AddressInfo, connect, Server as NetServer } from 'node:net';
import { dirname } from 'node:path';
import { KickError, messageOf, systemCode } from '../../../errors.ts';
import { type Clock, sleep, systemClock } from '../../../util/clock.ts';
import { listening } from '../../../util/listening.ts';
import type { Log } from '../../../util/log.ts';
import { createHttpServer } from '../../../util/node-http.ts';
import { quietLog } from '../../../util/quiet-log.ts';
import { refuseUntrusted } from '../../../util/trusted-path.ts';
import type { AgentService, LocalListener } from '../../transport.ts';
import { LISTENER_LIMITS, type ListenerLimits } from '../limits.ts';
import { type AgentAppOptions, agentApp } from '../listener/agent-app.ts';
import { handedOnPeer } from './handed-on.ts';

const LOOK_MS = 20;
/** Certificates are in the headers here. */
const HEADER_BYTES = 64 << 10;
const MAX_CONNECTIONS = 256;

export interface ServeOptions {
  /** Where the socket is made. */
  path: string;
  /** A descriptor that listens already, instead of the path. */
  descriptor?: number | undefined;
  log: Log;
  clock?: Clock;
  judge?: AgentAppOptions['judge'];
  limits?: Partial<ListenerLimits>;
}

/** Throws `KickError` `config` if socket or descriptor cannot be used. */
export async function serveListener(service: AgentService, options: ServeOptions): Promise<LocalListener> {
  const { log, clock = systemClock, judge } = options;
  const limits = { ...LISTENER_LIMITS, ...options.limits };
  const quiet = quietLog(log, clock);
  const app = await agentApp(service, { log, quiet, limits, peerOf: handedOnPeer, judge });
  const server = createHttpServer(
    {
      maxHeaderSize: HEADER_BYTES,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      connectionsCheckingInterval: limits.checkEveryMs,
    },
    app,
  );
  server.maxHeadersCount = limits.headerCount;
  server.maxRequestsPerSocket = 1;
  // Further ones are closed at once. What each may hold of a run's events is memory of root's.
  server.maxConnections = Math.min(limits.connections + limits.strangers, MAX_CONNECTIONS);
  server.on('checkContinue', app);
  server.on('checkExpectation', app);
  const open = openConnectionsOf(server, clock);
  await listen(server, { ...options, backlog: limits.backlog });
  return {
    port: 0,
    inUse: () => ({ connections: open.count(), controllerAt: open.usedAt() }),
    async leave() {
      NetServer.prototype.close.call(server);
      const from = clock.monotonic();
      while (open.isAsked() && clock.monotonic() - from < limits.leaveMs) await sleep(LOOK_MS);
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), limits.closeMs);
      await closed;
      clearTimeout(timer);
    },
  };
}

/** What is open, when it was last, and whether somebody has no answer yet, nor the head of one. */
function openConnectionsOf(server: Server, clock: Clock) {
  const unanswered = new Set<ServerResponse>();
  let connections = 0;
  let usedAt: number | undefined;
  server.on('connection', (socket) => {
    connections += 1;
    usedAt = clock.monotonic();
    socket.once('close', () => {
      connections -= 1;
      usedAt = clock.monotonic();
    });
  });
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    server.prependListener(event, (_request, response) => {
      unanswered.add(response);
      response.once('close', () => unanswered.delete(response));
    });
  }
  const isAsked = () => [...unanswered].some(({ headersSent }) => !headersSent);
  return { count: () => connections, usedAt: () => usedAt, isAsked };
}

async function listen(
  server: Server,
  { path, descriptor, backlog }: ServeOptions & { backlog: number },
): Promise<void> {
  try {
    if (descriptor !== undefined) {
      await listening(server, { fd: descriptor, backlog });
      // Node knows no name of one that it has not made.
      if ((server.address() as AddressInfo | null)?.port === undefined) return;
      server.close();
      throw new Error('a port');
    }
    // Whoever can replace the socket would be the helper.
    refuseUntrusted(dirname(path), { doing: `take requests from "${path}"` });
    await removeStale(path);
    await listening(server, { path, backlog });
    // Who may connect is who may write to it: another user is given it, or systemd makes it.
    await chmod(path, 0o600);
  } catch (error) {
    if (error instanceof KickError) throw error;
    const where = descriptor === undefined ? `"${path}"` : `descriptor ${descriptor}`;
    throw new KickError('config', `take requests from ${where}: ${systemCode(error) ?? messageOf(error)}`, {
      hint: 'the socket unit needs one ListenStream= with a path',
      cause: error,
    });
  }
}

/** A socket that a helper has left behind when it was killed. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSocket() !== true) return;
  if (await isServed(path)) {
    throw new KickError('config', `take requests from "${path}": another helper serves there`);
  }
  await unlink(path);
}

function isServed(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
