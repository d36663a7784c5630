/** Files of an identity that are replaced one after the other, half, or by something else: the last good ones stay. */
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ownPaths } from '../../src/config/identity.ts';
import { expiryOf } from '../../src/pki/expiry.ts';
import type { Identity, IdentityPaths } from '../../src/pki/identity.ts';
import { watchIdentity } from '../../src/pki/identity-store.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock } from '../../src/util/clock.ts';
import { certify, crlOf, newAuthority } from '../../tools/mint/authority.ts';
import { generateKey, pemOf } from '../../tools/mint/keys.ts';
import { type MintedCa, mintCa } from '../../tools/mint/mint-ca.ts';
import { tempFolder } from '../support/temp.ts';
import { captureLog } from '../transport/support.ts';

const NAME = 'agent1.example.com';

/** Followed by looks that the test asks for. */
async function watched(ca: MintedCa, clock = systemClock) {
  const folder = join(tempFolder(), 'pki');
  const paths = ca.write(folder, ca.issue(NAME));
  const first = await loadIdentity(paths, { now: Date.now() });
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const log = captureLog();
  const seen: Identity[] = [];
  const watch = watchIdentity(paths, first, {
    ...{ clock, log, signal: stop.signal, pollMs: 86_400_000 },
    onChange: (identity) => void seen.push(identity),
  });
  const reasons = () =>
    log.lines.flatMap(({ level, fields }) => (level === 'error' ? [fields['reason']] : []));
  return { folder, paths, first, watch, seen, reasons };
}

test('the key first and its certificate later: the old pair stays meanwhile, said once; then the new one', async () => {
  const ca = mintCa();
  const { paths, watch, seen, reasons } = await watched(ca);
  const next = ca.issue(NAME);
  writeFileSync(paths.key, next.key);
  for (let look = 0; look < 3; look++) await watch.reload();
  expect(seen).toEqual([]);
  expect(reasons()).toEqual([expect.stringContaining('it does not belong to the certificate')]);
  expect(watch.trouble()).toContain('it does not belong to the certificate');
  writeFileSync(paths.certificate, next.certificate);
  await watch.reload();
  expect(seen.map(({ chain }) => chain[0]?.serialNumber)).toEqual([next.serial.toUpperCase()]);
  expect([reasons().length, watch.trouble()]).toEqual([1, undefined]);
});

const cut = (text: string) => text.slice(0, text.lastIndexOf('-----END'));

test.each<[string, (ca: MintedCa, paths: IdentityPaths) => void]>([
  ['the second CA is cut off', (ca, { ca: path }) => writeFileSync(path, cut(ca.certificates))],
  ['the second CRL is cut off', (ca, { crl: path }) => writeFileSync(path, cut(ca.crls()))],
  ['the CRL is empty', (_, { crl: path }) => writeFileSync(path, '')],
  [
    'the second CRL is missing',
    (ca, { crl: path }) => writeFileSync(path, ca.crls().split(/(?<=END X509 CRL-----\n)/)[0] ?? ''),
  ],
])(
  'Puppet writes intermediate and root, and two CRLs; while %s the last good ones stay',
  async (_, damage) => {
    const ca = mintCa({ intermediate: true });
    const { folder, paths, watch, seen, reasons } = await watched(ca);
    ca.revoke(ca.issue('gone.example.com'));
    damage(ca, paths);
    await watch.reload();
    expect([seen.length, reasons().length]).toEqual([0, 1]);
    ca.write(folder, ca.issue(NAME));
    await watch.reload();
    expect(seen.at(-1)).toMatchObject({ ca: { length: 2 }, crls: { length: 2 } });
  },
);

test('what becomes right without a file being replaced is taken up: a mode, a clock', async () => {
  const ca = mintCa();
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  const { paths, watch, seen, reasons } = await watched(ca, clock);
  const early = ca.issue(NAME, { notBefore: Date.now() + 3_600_000 });
  writeFileSync(paths.key, early.key);
  writeFileSync(paths.certificate, early.certificate);
  chmodSync(paths.certificate, 0o666);
  await watch.reload();
  chmodSync(paths.certificate, 0o600);
  await watch.reload();
  expect(reasons()).toEqual([expect.stringContaining('0666'), expect.stringContaining('is valid only from')]);
  aheadMs = 7_200_000;
  await watch.reload();
  expect(seen.map(({ chain }) => chain[0]?.serialNumber)).toEqual([early.serial.toUpperCase()]);
});

test('a CA that is over is none; one that was renewed with its key is, beside the old one and in any order', async () => {
  const root = newAuthority('Our CA');
  const asCa = { subject: root.subject, key: root.key, issuer: root, role: 'ca' } as const;
  const over = certify({ ...asCa, notAfter: Date.now() - 1000 });
  const key = generateKey('p256');
  const leaf = certify({ subject: [NAME], key, issuer: root, role: 'agent', alternativeNames: [NAME] });
  const folder = tempFolder();
  const paths = ownPaths(folder, NAME);
  for (const path of [paths.key, paths.certificate]) mkdirSync(dirname(path));
  writeFileSync(paths.key, pemOf(key), { mode: 0o600 });
  writeFileSync(paths.certificate, leaf);
  writeFileSync(paths.crl, crlOf(root, 365));
  const load = (ca: string) => {
    writeFileSync(paths.ca, ca);
    return loadIdentity(paths, { now: Date.now() });
  };
  await expect(load(over)).rejects.toThrow(/load the CA certificates .*"CN=Our CA" has expired/);
  for (const bundle of [over + root.certificate, root.certificate + over]) {
    const ends = expiryOf(await load(bundle)).ca ?? 0;
    expect(ends).toBe(Date.parse(new X509Certificate(root.certificate).validTo));
  }
});
