/** Certificates and CRLs that are replaced while `kick serve` runs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';

import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { type MintedCa, mintCa } from '../../tools/mint/mint-ca.ts';
import { afterwards } from '../support/afterwards.ts';
import { startKick } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';
import { type Pair, startServer, type WebServer } from './web-site.ts';

const [CONTROLLER, CLIENT, OTHER] = ['puppet.example.com', 'deploy.example.com', 'other.example.com'];

/** Longer than it takes to look at the files twice. */
const SEEN = { timeout: 30_000 };

/** A server that knows two certificates; `web`: more of its configuration. */
async function siteOf(ca: MintedCa, web: (pki: string) => object = () => ({})) {
  const folder = tempFolder();
  const [etc, pki] = [join(folder, 'etc'), join(folder, 'pki')];
  const issued = [CONTROLLER, CLIENT, OTHER].map((name) => ca.issue(name));
  for (const one of issued) ca.write(pki, one);
  mkdirSync(etc);
  const certificates = [CLIENT, OTHER].map((name) => ({ name, role: 'viewer' }));
  const config = { puppetdb: false, web: { certificates, ...web(pki) } };
  writeFileSync(join(etc, 'controller.yaml'), JSON.stringify(config));
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets: [] }));
  const env = {
    ...{ KICK_CONFIG_DIR: etc, KICK_STATE_DIR: join(folder, 'state') },
    ...{ KICK_PKI_DIR: pki, KICK_CERTNAME: CONTROLLER },
  };
  const server = await startServer({ env, start: (...words: string[]) => startKick(words, { env }) });
  const pair = (name: string): Pair => ({
    cert: readFileSync(join(pki, 'certs', `${name}.pem`)),
    key: readFileSync(join(pki, 'private_keys', `${name}.pem`)),
  });
  const statusOf = async (name: string) => (await server.ask('session', { pair: pair(name) })).status;
  return { etc, pki, server, issued, pair, statusOf };
}

/** Asks on one connection, again and again. */
function keptOpen(server: WebServer, pair: Pair): () => Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  afterwards(() => agent.destroy());
  let first: unknown;
  return () =>
    new Promise((resolve, reject) => {
      const asked = request({ ...server.options('session', { pair }), agent }, (response) => {
        first ??= response.socket;
        if (response.socket !== first) reject(new Error('another connection'));
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      });
      asked.once('error', reject).end();
    });
}

/** The serial number of the certificate that a browser would see. */
function shownBy(server: WebServer): Promise<string> {
  return new Promise((resolve, reject) => {
    const { host, port, servername } = server.options('/');
    const socket = connect({ host: host ?? '', port: Number(port), servername, rejectUnauthorized: false });
    socket.once('error', reject).once('secureConnect', () => {
      resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
      socket.destroy();
    });
  });
}

test('a certificate that is revoked opens nothing any more, and others still do', async () => {
  const ca = mintCa();
  const { pki, issued, statusOf } = await siteOf(ca);
  expect([await statusOf(CLIENT), await statusOf(OTHER)]).toEqual([200, 200]);
  ca.revoke(issued[1] ?? expect.fail());
  writeFileSync(join(pki, 'crl.pem'), ca.crls());
  await expect.poll(() => statusOf(CLIENT), SEEN).toBe(401);
  expect(await statusOf(OTHER)).toBe(200);
});

test('a connection that is kept open does not outlive the trust in its certificate, and others go on', async () => {
  const ca = mintCa();
  const { pki, server, issued, pair } = await siteOf(ca);
  const kept = [CLIENT, OTHER].map((name) => keptOpen(server, pair(name)));
  expect(await Promise.all(kept.map((ask) => ask()))).toEqual([200, 200]);
  ca.revoke(issued[1] ?? expect.fail());
  writeFileSync(join(pki, 'crl.pem'), ca.crls());
  await expect.poll(() => kept[0]?.(), SEEN).toBe(401);
  expect(await kept[1]?.()).toBe(200);
});

test('a certificate that is denied here opens nothing, within seconds', async () => {
  const { etc, statusOf } = await siteOf(mintCa());
  expect([await statusOf(CLIENT), await statusOf(OTHER)]).toEqual([200, 200]);
  writeFileSync(join(etc, 'denied'), `${CLIENT}\n`);
  await expect.poll(() => statusOf(CLIENT), SEEN).toBe(401);
  expect(await statusOf(OTHER)).toBe(200);
});

test('a renewed certificate is shown; one that does not fit its key is not, and the old one stays', async () => {
  const ca = mintCa();
  const { pki, server, statusOf } = await siteOf(ca);
  const first = await shownBy(server);
  const path = join(pki, 'certs', `${CONTROLLER}.pem`);
  writeFileSync(path, ca.issue(CONTROLLER).certificate);
  let errors = '';
  server.child.stdout?.on('data', (text) => (errors += text));
  await expect.poll(() => errors, SEEN).toContain('the old ones stay');
  expect(await shownBy(server)).toBe(first);
  ca.write(pki, ca.issue(CONTROLLER));
  await expect.poll(() => shownBy(server), SEEN).not.toBe(first);
  expect(await statusOf(CLIENT)).toBe(200);
});

test("the page's own pair is followed as well", async () => {
  const ca = mintCa();
  const names = (pki: string) => ({
    certificate: join(pki, 'certs', `${OTHER}.pem`),
    key: join(pki, 'private_keys', `${OTHER}.pem`),
  });
  const { pki, server } = await siteOf(ca, names);
  const first = await shownBy(server);
  ca.write(pki, ca.issue(OTHER));
  await expect.poll(() => shownBy(server), SEEN).not.toBe(first);
});
