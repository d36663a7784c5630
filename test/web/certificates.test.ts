/** Certificates and CRLs that are replaced while `kick serve` runs. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type MintedCa, mintCa } from '../../tools/mint/mint-ca.ts';
import { afterwards } from '../support/afterwards.ts';
import { damagedKey } from '../support/damaged-key.ts';
import { parseExposition } from '../support/exposition.ts';
import { kickNow, startKick } from '../support/kick.ts';
import { tempFolder } from '../support/temp.ts';
import { type Pair, shownBy, startServer, type WebServer } from './web-site.ts';

const [CONTROLLER, CLIENT, OTHER] = ['puppet.example.com', 'deploy.example.com', 'other.example.com'];
/** A host where nothing listens. */
const DEAD = 'dead.example.com';
const DAY_MS = 86_400_000;

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
  const targets = [{ name: DEAD, uri: '127.0.0.1:1' }];
  writeFileSync(join(etc, 'inventory.yaml'), JSON.stringify({ targets }));
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
  return { env, etc, pki, server, issued, pair, statusOf };
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

test('a certificate that is revoked opens nothing any more, and others still do', async () => {
  const ca = mintCa();
  const { pki, issued, statusOf } = await siteOf(ca);
  expect([await statusOf(CLIENT), await statusOf(OTHER)]).toEqual([200, 200]);
  ca.revoke(issued[1] ?? expect.fail());
  writeFileSync(join(pki, 'crl.pem'), ca.crls());
  await expect.poll(() => statusOf(CLIENT)).toBe(401);
  expect(await statusOf(OTHER)).toBe(200);
});

test('a connection that is kept open does not outlive the trust in its certificate, and others go on', async () => {
  const ca = mintCa();
  const { pki, server, issued, pair } = await siteOf(ca);
  const kept = [CLIENT, OTHER].map((name) => keptOpen(server, pair(name)));
  expect(await Promise.all(kept.map((ask) => ask()))).toEqual([200, 200]);
  ca.revoke(issued[1] ?? expect.fail());
  writeFileSync(join(pki, 'crl.pem'), ca.crls());
  await expect.poll(() => Promise.all(kept.map((ask) => ask()))).toEqual([401, 200]);
});

test('a certificate that is denied here opens nothing, within seconds', async () => {
  const { etc, statusOf } = await siteOf(mintCa());
  expect([await statusOf(CLIENT), await statusOf(OTHER)]).toEqual([200, 200]);
  writeFileSync(join(etc, 'denied'), `${CLIENT}\n`);
  await expect.poll(() => statusOf(CLIENT)).toBe(401);
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
  await expect.poll(() => errors).toContain('the old ones stay');
  expect(await shownBy(server)).toBe(first);
  ca.write(pki, ca.issue(CONTROLLER));
  await expect.poll(() => shownBy(server)).not.toBe(first);
  expect(await statusOf(CLIENT)).toBe(200);
});

/** The page's own pair, as controller.yaml names it. */
const ownPair = (pki: string) => ({
  certificate: join(pki, 'certs', `${OTHER}.pem`),
  key: join(pki, 'private_keys', `${OTHER}.pem`),
});

test("the page's own pair is followed as well, and one whose key is damaged is not used", async () => {
  const ca = mintCa();
  const { pki, server } = await siteOf(ca, ownPair);
  const first = await shownBy(server);
  const { key } = ownPair(pki);
  const whole = readFileSync(key);
  let errors = '';
  server.child.stdout?.on('data', (text) => (errors += text));
  writeFileSync(key, damagedKey(whole));
  await expect.poll(() => errors).toMatch(/it is damaged, its two halves do not fit.*the old ones stay/);
  expect(await shownBy(server)).toBe(first);
  writeFileSync(key, whole);
  ca.write(pki, ca.issue(OTHER));
  await expect.poll(() => shownBy(server)).not.toBe(first);
});

test("kick doctor finds the end of the page's certificate, and the metric says when, also of the next one", async () => {
  const ca = mintCa();
  const endsIn = (days: number) => Math.floor(Date.now() / 1000) * 1000 + days * DAY_MS;
  const names = { alternativeNames: [OTHER, CONTROLLER] };
  const renew = (pki: string, notAfter: number) => ca.write(pki, ca.issue(OTHER, { notAfter, ...names }));
  const [soon, later] = [endsIn(20), endsIn(200)];
  const { env, pki, server } = await siteOf(ca, (dir) => {
    renew(dir, soon);
    return { ...ownPair(dir), metrics: true };
  });
  const metric = async () => {
    const { samples } = parseExposition((await server.ask('/metrics')).text);
    return samples.get('kick_serve_page_certificate_end_timestamp_seconds');
  };
  const doctor = () => kickNow(['doctor', DEAD], { env });
  expect(await metric()).toBe(soon / 1000);
  expect(doctor().out).toMatch(
    /^warning {2}the certificate of the page \(kick serve\) ends in 19 days\n +on .*\(this controller\)"\n +do: renew /m,
  );
  renew(pki, later);
  await expect.poll(metric).toBe(later / 1000);
  expect(doctor().out).not.toContain('the page');
  renew(pki, endsIn(2));
  expect(doctor()).toMatchObject({
    code: 1,
    out: expect.stringMatching(/^problem {2}.* the page .*ends in /m),
  });
});
