/** Renewal: by the certificate that a node has, with its key; what the CA has signed, and nothing else, replaces a file. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { keepRenewed } from '../../src/enrolment/keep-renewed.ts';
import { writeServer } from '../../src/enrolment/node-place.ts';
import { isDue, refreshCrl, renew, renewalTime, renewOwn } from '../../src/enrolment/renew.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { openEnrolments } from '../../src/pki/enrolments.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import {
  caSite,
  clockAhead,
  enrollHere,
  LONG_AGO,
  NODE,
  nodePlace,
  SERVER,
  serveHere,
} from '../support/enrolment.ts';

const DAY_MS = 86_400_000;
const clock = systemClock;
const authorityOf = ({ dir }: { dir: string }) => openAuthority(dir, { clock });
const serialIn = (path: string) => new X509Certificate(readFileSync(path)).serialNumber;

/** A node whose certificate of 90 days is 85 days old. */
async function oldNode({ denied }: { denied?: string } = {}) {
  const site = await caSite(LONG_AGO);
  const place = nodePlace();
  await enrollHere((await serveHere(site)).port, await site.token(), { place });
  const enrolments = openEnrolments(site.dir, { clock });
  const served = await serveHere({ dir: site.dir, enrolments }, denied === undefined ? {} : { denied });
  await writeServer(place, { host: SERVER, port: served.port });
  return { site, place, served, enrolments };
}

test('a certificate is renewed in the last third of its life, at a time of its own', async () => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const times = [];
  for (const name of ['a.example.com', 'b.example.com', 'c.example.com']) {
    const leaf = new X509Certificate(
      await enrollHere(port, await site.token(name), { name, place: nodePlace(name) }),
    );
    const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
    const share = (renewalTime(leaf) - from) / (to - from);
    expect(share).toBeGreaterThanOrEqual(2 / 3);
    expect(share).toBeLessThan(5 / 6);
    expect([
      isDue({ chain: [leaf], ca: [] }, renewalTime(leaf) - 1),
      isDue({ chain: [leaf], ca: [] }, renewalTime(leaf)),
    ]).toEqual([false, true]);
    times.push(share);
  }
  expect(new Set(times).size).toBe(3);
});

test('the new certificate has the same name, key, role and length of life, and one file has changed', async () => {
  const { site, place } = await oldNode();
  const [before, key] = [serialIn(place.paths.certificate), readFileSync(place.paths.key, 'utf8')];
  const next = new X509Certificate(await renew(place, { clock }));
  expect(serialIn(place.paths.certificate)).toBe(next.serialNumber);
  expect([next.serialNumber === before, readFileSync(place.paths.key, 'utf8')]).toEqual([false, key]);
  expect(Math.abs(Date.parse(next.validTo) - Date.now() - 90 * DAY_MS)).toBeLessThan(DAY_MS);
  expect((await loadIdentity(place.paths, { now: Date.now() })).certname).toBe(NODE);
  const own = (await authorityOf(site).list()).filter(({ name }) => name === NODE);
  expect(own.map(({ role }) => role)).toEqual(['agent', 'agent']);
  await expect(renew(place, { clock })).rejects.toThrow(/too new to be renewed/);
});

test('whoever loses the answer asks with the old certificate again, and gets the same', async () => {
  const { site, place } = await oldNode();
  const old = readFileSync(place.paths.certificate);
  const first = await renew(place, { clock });
  writeFileSync(place.paths.certificate, old);
  expect(await renew(place, { clock })).toBe(first);
  expect((await authorityOf(site).list()).filter(({ name }) => name === NODE)).toHaveLength(2);
});

test('a revoked certificate is not renewed, even by a server that has the old CRL yet', async () => {
  const { site, place, served } = await oldNode();
  await authorityOf(site).revoke(NODE);
  await expect(renew(place, { clock })).rejects.toThrow(/not one that may be renewed here/);
  await served.setIdentity();
  await expect(renew(place, { clock })).rejects.toThrow(/not one that may be renewed here|alert/);
  expect((await authorityOf(site).list()).filter(({ name }) => name === NODE)).toHaveLength(1);
});

test('nor is one that is denied, nor one that the index does not know', async () => {
  const site = await caSite(LONG_AGO);
  const denied = join(site.dir, 'denied');
  writeFileSync(denied, `${NODE}\n`);
  const place = nodePlace();
  await enrollHere((await serveHere(site)).port, await site.token(), { place });
  const enrolments = openEnrolments(site.dir, { clock });
  const served = await serveHere({ dir: site.dir, enrolments }, { denied });
  await writeServer(place, { host: SERVER, port: served.port });
  await expect(renew(place, { clock })).rejects.toThrow(/may be renewed here/);
  expect(served.lines).toContainEqual(expect.objectContaining({ reason: `denied here: ${NODE}` }));
  const index = join(site.dir, 'ca', 'index.json');
  const known = JSON.parse(readFileSync(index, 'utf8')) as { certificates: { name: string }[] };
  writeFileSync(denied, '');
  await served.setIdentity();
  writeFileSync(
    index,
    JSON.stringify({
      ...known,
      certificates: known.certificates.filter(({ name }) => name !== NODE),
      sum: undefined,
    }),
  );
  await expect(renew(place, { clock })).rejects.toThrow(/may be renewed here/);
});

test('the CRL is replaced by a newer one of the CA, and by no other', async () => {
  const { site, place, served } = await oldNode();
  expect(await refreshCrl(place, { clock })).toBe(false);
  const before = readFileSync(place.paths.crl, 'utf8');
  await authorityOf(site).issue({ name: 'gone.example.com', role: 'agent', keyType: 'p256', days: 1 });
  await authorityOf(site).revoke('gone.example.com');
  const newer = readFileSync(join(site.dir, 'crl.pem'), 'utf8');
  await served.setIdentity();
  expect(await refreshCrl(place, { clock })).toBe(true);
  expect(readFileSync(place.paths.crl, 'utf8')).toBe(newer);
  /** What the server hands out from now on. */
  const handOut = async (crl: string) => {
    writeFileSync(join(site.dir, 'crl.pem'), crl);
    await served.setIdentity();
  };
  await handOut(before);
  await expect(refreshCrl(place, { clock })).rejects.toThrow(/older than ours/);
  const der = Buffer.from(newer.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  der[der.length - 5] = (der[der.length - 5] ?? 0) ^ 1;
  const lines = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  await handOut(`-----BEGIN X509 CRL-----\n${lines}\n-----END X509 CRL-----\n`);
  await expect(refreshCrl(place, { clock })).rejects.toThrow(/our CA has not signed it/);
  await handOut(newer);
  await expect(refreshCrl(place, { clock: clockAhead(3700 * DAY_MS) })).rejects.toThrow(/has expired/);
  expect(readFileSync(place.paths.crl, 'utf8')).toBe(newer);
});

test('a node looks by itself, says once why it fails, and goes on', async () => {
  const { place, served } = await oldNode();
  const before = serialIn(place.paths.certificate);
  await writeServer(place, { host: SERVER, port: 1 });
  const warned: string[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const log = { ...silentLog, warn: (fields: object) => void warned.push(JSON.stringify(fields)) };
  const keeper = keepRenewed(place, { ...{ clock, log, signal: stop.signal, firstMs: 10 * DAY_MS } });
  await keeper.look();
  await keeper.look();
  expect(keeper.trouble()).toMatch(/the CRL: .*nothing listens there.*; the certificate: /);
  expect(warned).toHaveLength(1);
  await writeServer(place, { host: SERVER, port: served.port });
  await keeper.look();
  expect(keeper.trouble()).toBeUndefined();
  expect(serialIn(place.paths.certificate)).not.toBe(before);
});

test('where the CA is, the server renews its own certificate', async () => {
  const { site, enrolments } = await oldNode();
  const paths = nodePlace(SERVER, site.dir).paths;
  const before = await loadIdentity(paths, { now: Date.now() });
  expect(await renewOwn(paths, before, { enrolments, clock })).toBe(false);
  const later = clockAhead(95 * DAY_MS);
  const then = openEnrolments(site.dir, { clock: later });
  expect(await renewOwn(paths, before, { enrolments: then, clock: later })).toBe(true);
  const after = await loadIdentity(paths, { now: later.now() });
  expect(after.chain[0]?.serialNumber).not.toBe(before.chain[0]?.serialNumber);
});
