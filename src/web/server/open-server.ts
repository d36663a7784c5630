/** `kick serve`: HTTPS with the controller's own certificate, or the one that controller.yaml names. */
import { constants } from 'node:crypto';
import { createServer, type ServerOptions as HttpsOptions, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { SecureContextOptions } from 'node:tls';
import type { WebConfig } from '../../config/controller-config.ts';
import type { Controller } from '../../controller/controller.ts';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { addressOf, guardServer } from '../../transport/guard/guard-server.ts';
import { BACKLOG, GATE_LIMITS } from '../../transport/guard/limits.ts';
import { addressGroup } from '../../util/address-group.ts';
import type { Clock } from '../../util/clock.ts';
import { listening } from '../../util/listening.ts';
import type { Log } from '../../util/log.ts';
import { quietLog } from '../../util/quiet-log.ts';
import { openAccounts } from './access/accounts.ts';
import { openCertificates } from './access/certificates.ts';
import { openTrust, type Trust } from './access/current-trust.ts';
import { grantOf } from './access/grants.ts';
import { openKnownPlaces } from './access/known-places.ts';
import { type Oidc, openOidc } from './access/oidc.ts';
import { openSessions } from './access/sessions.ts';
import { openTokens } from './access/tokens.ts';
import { createApp } from './app.ts';
import { openAudit } from './audit.ts';
import type { ServerContext } from './context.ts';
import { DELIVERIES_KEPT_MS } from './http/deliveries.ts';
import { openIdempotency } from './http/idempotency.ts';
import { openFeeds } from './jobs/feeds.ts';
import { openRecentJobs } from './jobs/recent-jobs.ts';
import { openRunningJobs } from './jobs/running-jobs.ts';
import { firing } from './schedules/fire.ts';
import { startScheduler } from './schedules/scheduler.ts';
import { openStoredSchedules } from './schedules/stored-schedule.ts';

/** Certificates; all PEM. */
export interface ServerTls {
  /** What browsers see. */
  own: { key: string | Buffer; cert: string | Buffer };
  /** Whose certificates may come in. */
  clients: Pick<SecureContextOptions, 'ca' | 'crl'>;
  /** The same, for connections that are open, and who is denied. */
  trust: Trust;
}

export interface ServerOptions {
  controller: Controller;
  tls: ServerTls;
  /** controller.yaml, web. */
  config?: WebConfig | undefined;
  stateDir: string;
  port: number;
  bind?: string | undefined;
  clock: Clock;
  log: Log;
  version: string;
}

export interface KickServer {
  port: number;
  /** For connections from now on. Throws for certificates that do not fit together; then the old ones stay. */
  setTls(tls: ServerTls): void;
  /** Leaves the jobs as they are; the next server goes on with them. */
  close(): Promise<void>;
}

/** Of TLS and HTTP. */
const LIMITS = {
  handshakeTimeout: GATE_LIMITS.handshakeMs,
  connectionsCheckingInterval: GATE_LIMITS.checkEveryMs,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 30_000,
  maxHeaderSize: 16_384,
};
/** A connection is known by a request of somebody who may; one address may be that of many people, each of whom has several. */
const CONNECTIONS = { ...GATE_LIMITS, connections: 2000, perKnown: 500, strangers: 256, perStranger: 64 };

/** Throws `KickError` if it cannot listen. */
export async function openServer({
  controller,
  tls,
  config,
  stateDir,
  port,
  bind,
  clock,
  log,
  version,
}: ServerOptions): Promise<KickServer> {
  const webDir = join(stateDir, 'web');
  const [accounts, tokens] = [openAccounts(webDir, clock), openTokens(webDir, clock)];
  const trust = openTrust(tls);
  const certificates = openCertificates(config?.certificates, trust);
  const groups = (config?.oidc?.groups ?? []).map(grantOf);
  const sessions = await openSessions(webDir, { clock, log });
  const places = openKnownPlaces(webDir, { clock, log });
  const doors = { accounts, tokens, certificates, sessions, groups, places };
  const audit = await openAudit(webDir, { clock, log });
  const running = openRunningJobs(controller, webDir, log);
  const recentJobs = openRecentJobs(controller, running.isHere);
  const feeds = openFeeds(controller, clock, recentJobs.forget);
  const schedules = openStoredSchedules(webDir, clock);
  const keysIn = { clock, log, isThere: running.isKnown };
  const context: ServerContext = {
    ...{ controller, doors, running, audit, clock, log, version, config, schedules },
    idempotency: await openIdempotency(join(webDir, 'keys'), keysIn),
    deliveries: await openIdempotency(join(webDir, 'deliveries'), { ...keysIn, keptMs: DELIVERIES_KEPT_MS }),
    recentJob: recentJobs.read,
    oidc: oidcOf(config, clock),
    pageEnds: trust.pageEnds,
    scheduler: { run: (schedule, onWaiting) => scheduler.run(schedule, onWaiting) },
    guard: { know: (socket) => guard.know(socket) },
  };
  const server = createServer(serverOptions(tls, config), createApp(context, feeds));
  const quiet = () => quietLog(log, clock);
  const guard = guardServer(server, {
    ...{ limits: CONNECTIONS, clock, quiet: quiet(), quietRoom: quiet() },
    ownerOf: (socket) => ({ name: addressGroup(addressOf(socket)), isKnown: false }),
  });
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  server.on('secureConnection', trust.note);
  await listen(server, port, bind);
  await running.takeUp();
  // After the jobs of before: a schedule sees that its last one runs.
  const scheduler = startScheduler({ stored: schedules, clock, log, fire: firing(context) });
  return {
    port: (server.address() as AddressInfo).port,
    setTls(next) {
      server.setSecureContext(secureContext(next, config));
      guard.dropBegun();
      trust.set(next);
    },
    async close() {
      server.close();
      guard.dropPending();
      scheduler.close();
      feeds.close();
      await running.close();
      server.closeAllConnections();
    },
  };
}

const serverOptions = (tls: ServerTls, config: WebConfig | undefined): HttpsOptions => ({
  ...secureContext(tls, config),
  ...LIMITS,
  ALPNProtocols: ['http/1.1'],
  ...(config?.certificates !== undefined && { requestCert: true, rejectUnauthorized: false }),
});

const secureContext = ({ own, clients }: ServerTls, config: WebConfig | undefined): SecureContextOptions => ({
  ...own,
  ...(config?.certificates !== undefined && clients),
  minVersion: 'TLSv1.2',
  // A resumed session skips revocation.
  secureOptions: constants.SSL_OP_NO_TICKET,
});

/** Throws `KickError` `config`. */
function oidcOf(config: WebConfig | undefined, clock: Clock): Oidc | undefined {
  const { oidc, url } = config ?? {};
  if (oidc === undefined) return undefined;
  if (url !== undefined) return openOidc(oidc, { url, clock });
  throw new KickError('config', 'read controller.yaml: web.oidc needs web.url, to which people come back');
}

function hintFor(code: string | undefined): string {
  if (code === 'EADDRINUSE')
    return 'something listens there already, perhaps another kick serve (ss -ltnp): --port takes another';
  if (code === 'EACCES') return 'ports below 1024 need root, or CAP_NET_BIND_SERVICE: --port takes another';
  return 'see --bind and --port';
}

async function listen(server: Server, port: number, bind: string | undefined): Promise<void> {
  try {
    await listening(server, { port, backlog: BACKLOG, ...(bind !== undefined && { host: bind }) });
  } catch (error) {
    throw new KickError('config', `listen on port ${port}: ${messageOf(error)}`, {
      hint: hintFor(systemCode(error)),
      cause: error,
    });
  }
}
