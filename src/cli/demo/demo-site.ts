/** The site of `kick demo --web`: a CA, thirty agents whose runs are simulated, accounts and `kick serve`, all in this process. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownPaths } from '../../config/identity.ts';
import { openController } from '../../controller/controller.ts';
import { openAuthority } from '../../pki/authority.ts';
import { loadIdentity } from '../../pki/load-identity.ts';
import { tlsMaterial } from '../../pki/tls-material.ts';
import { systemClock } from '../../util/clock.ts';
import { silentLog } from '../../util/log.ts';
import { openAccounts } from '../../web/server/access/accounts.ts';
import { openServer } from '../../web/server/open-server.ts';
import { ownSenders } from '../open-sender.ts';
import { version } from '../version.ts';
import { type Client, signedIn } from './api-client.ts';
import { DEMO_HOSTS, type DemoHost, inventoryOf, REFUSING, SLOW } from './demo-hosts.ts';
import type { Shape } from './run-shape.ts';
import { type SimulatedHost, slowed, startSimulatedHost } from './simulated-host.ts';

export interface DemoSite {
  readonly url: string;
  readonly port: number;
  /** Of every account: alice may everything, bob may run on @web, carol may look. */
  readonly password: string;
  /** The file of the CA that signed the server's certificate. */
  readonly ca: string;
  /** The arguments with which `kick` finds the same site. */
  readonly kickArgs: readonly string[];
  signIn(name: string): Promise<Client>;
  stop(): Promise<void>;
}

export interface DemoSiteOptions {
  /** 0: any that is free. */
  port: number;
  /** Milliseconds that runs take on average; defaults to 4 s. */
  meanMs?: number;
  /** The variable PATH. */
  path: string;
}

/** The controller, and the name under which browsers know this machine. */
export const DEMO_CONTROLLER = 'localhost';
const LOOPBACK = '127.0.0.1';
const DAYS = 60;

const ACCOUNTS = [
  { name: 'alice', role: 'admin', limits: {} },
  { name: 'bob', role: 'operator', limits: { hosts: '@web' } },
  { name: 'carol', role: 'viewer', limits: {} },
] as const;

/** Throws `KickError`, and has then left nothing behind. */
export async function startDemoSite(options: DemoSiteOptions): Promise<DemoSite> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'kick-demo-')));
  const stopping: (() => Promise<unknown>)[] = [];
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  // An error that nobody has caught ends the process at once.
  process.once('exit', remove);
  const stop = async () => {
    for (const one of stopping.splice(0).reverse()) await one();
    remove();
    process.off('exit', remove);
  };
  try {
    return { ...(await open(folder, { ...options, stopping })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface OpenOptions extends DemoSiteOptions {
  /** Filled with what ends what has been started. */
  stopping: (() => Promise<unknown>)[];
}

async function open(
  folder: string,
  { port, meanMs = 4000, path, stopping }: OpenOptions,
): Promise<Omit<DemoSite, 'stop'>> {
  const [configDir, stateDir, pkiDir] = [join(folder, 'etc'), join(folder, 'state'), join(folder, 'pki')];
  mkdirSync(configDir, { mode: 0o700 });
  await makeCertificates(pkiDir);
  const ports = new Map<string, number>();
  for (const [index, host] of DEMO_HOSTS.entries()) {
    const started = await startHost(host, { folder, pkiDir, shape: shapeOf(meanMs), seed: index + 1 });
    stopping.push(() => started.close());
    ports.set(host.name, started.port);
  }
  writeFileSync(join(configDir, 'controller.yaml'), 'puppetdb: false\n');
  writeFileSync(
    join(configDir, 'inventory.yaml'),
    inventoryOf((name) => ({ host: LOOPBACK, port: ports.get(name) ?? 0 })),
  );
  const password = randomBytes(9).toString('base64url');
  const accounts = openAccounts(join(stateDir, 'web'), systemClock);
  for (const account of ACCOUNTS) await accounts.put({ ...account, password });
  const identity = await identityOf(DEMO_CONTROLLER, pkiDir);
  const controller = openController({
    folders: { configDir, stateDir, runDir: join(folder, 'run'), pkiDir, pkiDirNamed: true },
    ...{ path, version: version(), clock: systemClock, identity: async () => identity },
    openSender: ownSenders.openSender,
  });
  const own = tlsMaterial(identity);
  const server = await openServer({
    ...{ controller, tls: { own, clients: own, trust: identity }, stateDir, port, bind: LOOPBACK },
    ...{ clock: systemClock, log: silentLog, version: version() },
  });
  stopping.push(() => server.close());
  const ca = ownPaths(pkiDir, DEMO_CONTROLLER).ca;
  const client = { port: server.port, ca: readFileSync(ca), servername: DEMO_CONTROLLER };
  return {
    ...{ url: `https://${DEMO_CONTROLLER}:${server.port}/`, port: server.port, password, ca },
    kickArgs: [
      ...['--config-dir', configDir, '--state-dir', stateDir],
      ...['--pki-dir', pkiDir, '--certname', DEMO_CONTROLLER],
    ],
    signIn: (name) => signedIn(client, { name, password }),
  };
}

async function makeCertificates(pkiDir: string): Promise<void> {
  const authority = openAuthority(pkiDir, { clock: systemClock });
  await authority.init('kick demo CA');
  await authority.issue({ name: DEMO_CONTROLLER, role: 'controller', keyType: 'p256', days: DAYS });
  for (const { name } of DEMO_HOSTS) {
    await authority.issue({ name, role: 'agent', keyType: 'p256', days: DAYS });
  }
}

const identityOf = (name: string, pkiDir: string) =>
  loadIdentity(ownPaths(pkiDir, name), { now: systemClock.now() });

const shapeOf = (mean: number): Shape => ({
  times: { kind: 'about', mean },
  outcomes: [
    ['unchanged', 60],
    ['changed', 34],
    ['failed', 6],
  ],
  ...{ logLines: 0, isTold: true, seed: 1 },
});

interface HostOptions {
  folder: string;
  pkiDir: string;
  shape: Shape;
  seed: number;
}

async function startHost(
  { name }: DemoHost,
  { folder, pkiDir, shape, seed }: HostOptions,
): Promise<SimulatedHost> {
  return startSimulatedHost({
    identity: await identityOf(name, pkiDir),
    policy: { controllers: name === REFUSING ? [] : [{ name: DEMO_CONTROLLER }], trustPpCliAuth: false },
    ...{ bind: LOOPBACK, port: 0, folder: join(folder, 'hosts', name), shape, seed, clock: systemClock },
    ...(name === SLOW && { change: slowed }),
  });
}
