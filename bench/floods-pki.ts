/** `kick pki serve` under floods: nodes that enrol, each for the first time. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { ownPaths } from '../src/config/identity.ts';
import { enroll } from '../src/enrolment/enroll.ts';
import { openAuthority } from '../src/pki/authority.ts';
import { openEnrolments } from '../src/pki/enrolments.ts';
import { readPem } from '../src/pki/identity-files.ts';
import { systemClock } from '../src/util/clock.ts';
import { type AgentProcess, startAgentProcess } from '../tools/agent-process.ts';
import { KICK } from '../tools/program.ts';
import { type Flood, hasNetwork, underFlood } from './flooding.ts';
import type { Row } from './measure.ts';

const SERVER = 'localhost';
/** As in kick-pki.service. */
const ENV = { ...process.env, NODE_OPTIONS: '--max-semi-space-size=1' };
const MOST = 80;

const post = (body: string, length = body.length) =>
  `POST /v1/certificate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;
const filler = (length: number) => 'A'.repeat(length);
const GUESS = post(
  JSON.stringify({
    id: `NUMBER${filler(16)}`,
    secret: `NUMBER${filler(37)}`,
    name: 'web9.bench',
    key: filler(122),
    proof: filler(86),
  }),
);

const FLOODS: readonly Flood[] = [
  { what: '2,000 idle connections from 500 addresses', count: 2000, addresses: 500 },
  { what: "600 idle ones from the node's own address", count: 600, addresses: 1 },
  { what: '2,000 that begin a handshake, from 500', count: 2000, addresses: 500, says: 'hello' },
  { what: "400 a second that begin one, from the node's own", perSecond: 400, addresses: 1 },
  { what: '400 a second that begin one, from 500', perSecond: 400, addresses: 500 },
  { what: '2,000 that are silent after TLS, from 500', count: 2000, addresses: 500, says: 'handshake' },
  {
    what: '2,000 slow bodies from 500',
    ...{ count: 2000, addresses: 500, says: 'drips', text: post('{', 1000) },
  },
  { what: "50 guesses of a token a second from the node's own", perSecond: 50, addresses: 1, text: GUESS },
  { what: '50 guesses of a token a second from 500', perSecond: 50, addresses: 500, text: GUESS },
];

const IPV6: Flood = {
  what: '2,000 that begin a handshake, from a /64',
  ...{ count: 2000, addresses: 2000, says: 'hello', host: '::1' },
};

export async function* floodsPkiRows(folder: string): AsyncGenerator<Row> {
  const dir = join(folder, 'floods-pki');
  const authority = openAuthority(dir, { clock: systemClock });
  await authority.init('The CA of the bench');
  await authority.issue({ name: SERVER, role: 'controller', keyType: 'p256', days: 100 });
  let nodes = 0;
  const nextName = () => {
    nodes += 1;
    return `node${nodes}.bench`;
  };
  for (const flood of FLOODS) yield await against(dir, { flood, nextName });
  if (await hasNetwork()) yield await against(dir, { flood: IPV6, nextName, bind: '::' });
}

export async function against(
  dir: string,
  { flood, nextName, bind = '127.0.0.1' }: { flood: Flood; nextName: () => string; bind?: string },
): Promise<Row> {
  const server = await startServer(dir, bind);
  const enrolments = openEnrolments(dir, { clock: systemClock });
  const fingerprint = new X509Certificate(readPem(join(dir, 'certs', 'ca.pem'), 'CA')).fingerprint256
    .replaceAll(':', '')
    .toLowerCase();
  try {
    return await underFlood(flood, {
      what: 'kick pki serve',
      ...{ pid: server.pid, port: server.port, most: MOST },
      async ask() {
        const name = nextName();
        const wish = { name, role: 'agent', days: 90, forMs: 3_600_000, replace: false } as const;
        const token = { ...(await enrolments.create(wish)), fingerprint };
        const place = { dir: join(dir, name), paths: ownPaths(join(dir, name), name) };
        const own = { host: SERVER, port: server.port };
        await enroll({ server: own, token, name, place, isForced: false, clock: systemClock });
      },
    });
  } finally {
    await server.kill();
  }
}

function startServer(dir: string, bind: string): Promise<AgentProcess> {
  const words = ['pki', 'serve', '--port', '0', '--bind', bind, '--certname', SERVER];
  return startAgentProcess([...KICK, ...words, '--pki-dir', dir, '--config-dir', dir], {
    ...{ ready: 'serving certificates', env: ENV },
  });
}
