/** Our own CA with its server on loopback, and nodes that ask it. The server's certname is `localhost`. */

import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { ownPaths } from '../../src/config/identity.ts';
import { enroll } from '../../src/enrolment/enroll.ts';
import type { NodePlace } from '../../src/enrolment/node-place.ts';
import { openEnrolmentServer } from '../../src/enrolment/server.ts';
import type { Token } from '../../src/enrolment/token.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { type Enrolments, openEnrolments, type TokenWish } from '../../src/pki/enrolments.ts';
import { readPem } from '../../src/pki/identity-files.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { type Clock, systemClock } from '../../src/util/clock.ts';
import type { Log } from '../../src/util/log.ts';
import { type AgentProcess, startAgentProcess } from '../../tools/agent-process.ts';
import { KICK } from '../../tools/program.ts';
import { afterwards } from './afterwards.ts';
import { tempFolder } from './temp.ts';

export const SERVER = 'localhost';
export const NODE = 'web1.example.com';
const DAY_MS = 86_400_000;

/** A clock that is this much ahead (or behind, if negative). */
export const clockAhead = (ms: number): Clock => ({ ...systemClock, now: () => Date.now() + ms });

export interface CaSite {
  /** The folder of the CA, and of the server's own certificate. */
  readonly dir: string;
  readonly enrolments: Enrolments;
  token(name?: string, wish?: Partial<TokenWish>): Promise<Token>;
}

/** `clock`: the CA's. */
export async function caSite(clock: Clock = systemClock): Promise<CaSite> {
  const dir = join(tempFolder(), 'pki');
  const authority = openAuthority(dir, { clock: systemClock });
  await authority.init('Our CA');
  await authority.issue({ name: SERVER, role: 'controller', keyType: 'p256', days: 100 });
  const enrolments = openEnrolments(dir, { clock });
  const ca = new X509Certificate(readPem(join(dir, 'certs', 'ca.pem'), 'CA'));
  return {
    ...{ dir, enrolments },
    async token(name = NODE, wish = {}) {
      const usual = { role: 'agent', days: 90, forMs: 3_600_000, replace: false } as const;
      const { id, secret } = await enrolments.create({ name, ...usual, ...wish });
      return { id, secret, fingerprint: ca.fingerprint256.replaceAll(':', '').toLowerCase() };
    },
  };
}

export interface Served {
  readonly port: number;
  /** Lines of its log: the fields and the message. */
  readonly lines: (object & { msg: string })[];
}

/** Serves in this process. `certname`: whose certificate it shows; `enrolments`: what it gives out. */
export async function serveHere(
  { dir, enrolments }: Pick<CaSite, 'dir' | 'enrolments'>,
  { certname = SERVER, denied }: { certname?: string; denied?: string } = {},
): Promise<Served & { setIdentity(): Promise<void> }> {
  const lines: Served['lines'] = [];
  const note = (fields: object, msg: string) => void lines.push({ ...fields, msg });
  const log: Log = { debug: note, info: note, warn: note, error: note };
  const paths = { ...ownPaths(dir, certname), ...(denied !== undefined && { denied }) };
  const load = () => loadIdentity(paths, { now: Date.now() });
  const server = await openEnrolmentServer({
    ...{ identity: await load(), enrolments, port: 0, bind: '127.0.0.1', clock: systemClock, log },
  });
  afterwards(() => server.close());
  return { port: server.port, lines, setIdentity: async () => server.setIdentity(await load()) };
}

/** `kick pki serve` as a process. `nodeOptions`: arguments of Node. */
export async function serveProcess(
  dir: string,
  {
    nodeOptions,
    port = 0,
    onLine,
  }: { nodeOptions?: string; port?: number; onLine?: (line: string) => void } = {},
): Promise<AgentProcess> {
  const words = ['pki', 'serve', '--port', String(port), '--bind', '127.0.0.1', '--certname', SERVER];
  return startAgentProcess([...KICK, ...words, '--pki-dir', dir, '--config-dir', dir], {
    ...{ ready: 'serving certificates', stderr: 'collect', env: withNodeOptions(nodeOptions) },
    ...(onLine !== undefined && { onLine }),
    onSpawn: (child) => afterwards(() => child.kill('SIGKILL')),
  });
}

export function nodePlace(name = NODE, dir = join(tempFolder(), 'node')): NodePlace {
  return { dir, paths: ownPaths(dir, name) };
}

/** Enrols a node in this process. */
export function enrollHere(
  port: number,
  token: Token,
  { place = nodePlace(), name = NODE, host = SERVER, isForced = false, clock = systemClock } = {},
): Promise<string> {
  return enroll({ server: { host, port }, token, name, place, isForced, clock });
}

/** A clock by which a certificate of 90 days has come into the last days of its life by now. */
export const LONG_AGO = clockAhead(-85 * DAY_MS);

/** Our environment; a package's kick, which starts its own Node, hands it over as well. */
export const withNodeOptions = (nodeOptions = process.env['NODE_OPTIONS']): NodeJS.ProcessEnv => ({
  ...process.env,
  NODE_OPTIONS: nodeOptions,
});

/** NODE_OPTIONS with what Node runs first: the process is killed as soon as a file whose path ends like this has been replaced. */
export function killedAfter(end: string): string {
  const script = `
    import fs from 'node:fs/promises';
    import { syncBuiltinESMExports } from 'node:module';
    const { rename } = fs;
    fs.rename = async (from, to) => {
      await rename(from, to);
      if (to.endsWith(${JSON.stringify(end)})) process.kill(process.pid, 'SIGKILL');
    };
    syncBuiltinESMExports();`;
  return `--import data:text/javascript,${encodeURIComponent(script)}`;
}
