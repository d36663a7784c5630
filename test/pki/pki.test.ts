/** An identity is loaded with every check, and what our own CA makes passes them. */
import { X509Certificate } from 'node:crypto';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ownPaths } from '../../src/config/identity.ts';
import { KickError } from '../../src/errors.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { readCrl, splitCrls } from '../../src/pki/crl.ts';
import { commonNameOf, DerError, isPuppetAdministrator } from '../../src/pki/der.ts';
import type { Identity, IdentityPaths } from '../../src/pki/identity.ts';
import { waitForIdentity, watchIdentity } from '../../src/pki/identity-store.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLog } from '../../src/util/log.ts';
import { type CaOptions, type IssueOptions, mintCa } from '../../tools/mint/mint-ca.ts';
import { tempFolder } from '../support/temp.ts';

const NAME = 'web1.example.com';
const DAY_MS = 86_400_000;

/** Lays out an identity, lets a case spoil it, and loads it. */
async function load(
  spoil: (paths: IdentityPaths) => void = () => {},
  options: { ca?: CaOptions; issue?: IssueOptions; now?: number } = {},
): Promise<Identity> {
  const ca = mintCa(options.ca);
  const paths = ca.write(tempFolder(), ca.issue(NAME, options.issue));
  spoil(paths);
  return loadIdentity(paths, { now: options.now ?? Date.now() });
}

const other = mintCa({ name: 'Another CA' });

test('loadIdentity reads what Puppet writes: intermediate and root, two CRLs in one file', async () => {
  const identity = await load(undefined, { ca: { intermediate: true } });
  expect(identity.certname).toBe(NAME);
  expect(identity.ca).toHaveLength(2);
  expect(identity.crls).toHaveLength(2);
  expect(identity.chain).toHaveLength(2);
  expect(identity.warnings).toEqual([]);
});

test.each<[string, (paths: IdentityPaths) => void, RegExp]>([
  ['an empty CA file', ({ ca }) => writeFileSync(ca, ''), /CA certificates .*it is empty/],
  ['a CA file without a certificate', ({ ca }) => writeFileSync(ca, 'x'), /there is no certificate in it/],
  ['an empty CRL file', ({ crl }) => writeFileSync(crl, '\n'), /CRLs .*it is empty/],
  ['a CRL file without a CRL', ({ crl }) => writeFileSync(crl, 'x'), /there is no CRL in it/],
  [
    'the CRL of another CA',
    ({ crl }) => writeFileSync(crl, other.crls()),
    /there is none of "CN=Test CA root"/,
  ],
  ['no key', ({ key }) => rmSync(key), /there is no such file/],
  ['a key that is none', ({ key }) => writeFileSync(key, 'x'), /it is not a private key in PEM/],
  [
    'the key of another',
    ({ key }) => writeFileSync(key, other.issue(NAME).key),
    /does not belong to the certificate/,
  ],
  [
    'another CA',
    ({ ca, crl }) => {
      writeFileSync(ca, other.certificates);
      writeFileSync(crl, other.crls());
    },
    /was not made by the CA/,
  ],
])('loadIdentity refuses %s', async (_what, spoil, message) => {
  const error = await load(spoil).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(KickError);
  expect((error as KickError).code).toBe('identity');
  expect((error as KickError).message).toMatch(message);
});

test('what is missing says how to get it: a certificate, or only a CRL or CA', async () => {
  const hintWithout = (file: keyof IdentityPaths) =>
    load((paths) => rmSync(paths[file] ?? '')).catch((error) => error.hint);
  expect(await hintWithout('certificate')).toContain('this host needs a certificate first');
  expect(await hintWithout('crl')).toContain("'kick agent renew' here");
  expect(await hintWithout('ca')).toContain('copy certs/ca.pem');
});

test.each<[string, Parameters<typeof load>[1], RegExp]>([
  ['an expired certificate', { issue: { notAfter: Date.now() - 1000 } }, /has expired/],
  ['a certificate of tomorrow', { issue: { notBefore: Date.now() + DAY_MS } }, /valid only from/],
  ['an expired CRL', { ca: { crlDays: -1 } }, /the one of "CN=Test CA root" has expired/],
  ['RSA-1024', { issue: { keyType: 'rsa-1024' } }, /is not used here/],
  ['two common names', { issue: { commonNames: [NAME, 'b'] } }, /2 common names/],
  ['a name with a newline', { issue: { commonNames: ['a\nb'] } }, /control characters/],
  ['a name that is no certname', { issue: { commonNames: ['Web 1'] } }, /is not a certname/],
])('loadIdentity refuses %s', async (_what, options, message) => {
  await expect(load(undefined, options)).rejects.toThrow(message);
});

test('loadIdentity refuses a certificate that its own CRL revokes', async () => {
  const ca = mintCa();
  const issued = ca.issue(NAME);
  ca.revoke(issued);
  const paths = ca.write(tempFolder(), issued);
  await expect(loadIdentity(paths, { now: Date.now() })).rejects.toThrow(/it has been revoked/);
});

test('loadIdentity warns of a certificate within 30 days and a CRL within 7', async () => {
  const soon = await load(undefined, { ca: { crlDays: 3 }, issue: { notAfter: Date.now() + 10 * DAY_MS } });
  expect(soon.warnings).toEqual([
    expect.stringMatching(/certificate .* expires in 9 days/),
    expect.stringMatching(/CRL .* expires in 2 days/),
  ]);
});

test('commonNameOf and isPuppetAdministrator throw nothing but DerError, whatever comes', () => {
  const { raw } = new X509Certificate(mintCa().issue(NAME).certificate);
  const mutated = fc
    .tuple(fc.nat(raw.length - 1), fc.nat(255))
    .map(([at, byte]) => Buffer.concat([raw.subarray(0, at), Buffer.from([byte]), raw.subarray(at + 1)]));
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
      for (const read of [commonNameOf, isPuppetAdministrator]) {
        try {
          read(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DerError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test('isPuppetAdministrator reads the extension, not its bytes elsewhere', () => {
  const ca = mintCa();
  const der = (options: IssueOptions) => new X509Certificate(ca.issue(NAME, options).certificate).raw;
  expect(isPuppetAdministrator(der({ ppCliAuth: true }))).toBe(true);
  expect(isPuppetAdministrator(der({ ppCliAuth: false }))).toBe(false);
  const bytes = Buffer.from('06092b06010401828c4c01032704060c0474727565', 'hex').toString('latin1');
  expect(isPuppetAdministrator(der({ ppCliAuth: false, alternativeNames: [NAME, bytes] }))).toBe(false);
});

test('a CRL of ours revokes whom it names, and is split where there are two', () => {
  const ca = mintCa({ intermediate: true });
  const bad = ca.issue('bad.example.com');
  ca.revoke(bad);
  const [first = '', second = ''] = splitCrls(ca.crls());
  expect(readCrl(first).revoked).toEqual([bad.serial]);
  expect(readCrl(second).revoked).toEqual([]);
});

test('waitForIdentity waits for files that are not there yet, and tells why', async () => {
  const ca = mintCa();
  const folder = tempFolder();
  const warned: string[] = [];
  const log = { ...silentLog, warn: (_fields: object, message: string) => void warned.push(message) };
  const paths = ca.write(join(folder, 'later'), ca.issue(NAME));
  rmSync(paths.certificate);
  const { signal } = new AbortController();
  const waiting = waitForIdentity(paths, { clock: systemClock, log, signal, pollMs: 5 });
  await expect.poll(() => warned.length).toBe(1);
  ca.write(join(folder, 'later'), ca.issue(NAME));
  expect((await waiting)?.certname).toBe(NAME);
  expect(warned.length).toBeLessThanOrEqual(2);
});

test('watchIdentity gives new files on, and keeps the old ones while the new are broken', async () => {
  const ca = mintCa();
  const folder = tempFolder();
  const paths = ca.write(folder, ca.issue(NAME));
  const first = await loadIdentity(paths, { now: Date.now() });
  const seen: Identity[] = [];
  const errors: string[] = [];
  const stop = new AbortController();
  const log = { ...silentLog, error: (_fields: object, message: string) => void errors.push(message) };
  const options = { clock: systemClock, log, signal: stop.signal, pollMs: 5 };
  const watch = watchIdentity(paths, first, { ...options, onChange: (identity) => void seen.push(identity) });
  writeFileSync(paths.crl, '');
  await watch.reload();
  expect(errors.length).toBeGreaterThan(0);
  expect(seen).toHaveLength(0);
  ca.revoke(ca.issue('gone.example.com'));
  writeFileSync(paths.crl, ca.crls());
  await expect.poll(() => seen.length).toBeGreaterThan(0);
  expect(seen.at(-1)?.crls).not.toEqual(first.crls);
  stop.abort();
});

test('our own CA: what it issues loads, what it revokes does not, and a name has one certificate', async () => {
  const dir = join(tempFolder(), 'pki');
  mkdirSync(dir);
  const authority = openAuthority(dir, { clock: systemClock });
  await authority.init('Our CA');
  await expect(authority.init('Our CA')).rejects.toThrow(/there is one/);
  const ask = { name: NAME, role: 'agent', keyType: 'p256', days: 100 } as const;
  const [key = '', certificate = ''] = await authority.issue(ask);
  expect(statSync(key).mode & 0o777).toBe(0o600);
  await expect(authority.issue(ask)).rejects.toThrow(/has one/);
  await expect(authority.issue({ ...ask, name: '../x' })).rejects.toThrow(/not a certname/);
  const paths = ownPaths(dir, NAME);
  expect([key, certificate]).toEqual([paths.key, paths.certificate]);
  const identity = await loadIdentity(paths, { now: Date.now() });
  const [leaf] = identity.chain;
  expect(leaf?.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  expect(isPuppetAdministrator(leaf?.raw ?? Buffer.alloc(0))).toBe(false);
  await authority.revoke(NAME);
  await expect(loadIdentity(paths, { now: Date.now() })).rejects.toThrow(/revoked/);
  await expect(authority.revoke(NAME)).rejects.toThrow(/has no valid one/);
  await authority.issue({ ...ask, role: 'controller', keyType: 'rsa' });
  expect((await authority.list()).map(({ role, revokedAt }) => [role, revokedAt !== undefined])).toEqual([
    ['agent', true],
    ['controller', false],
  ]);
});

test('two who issue at once both get a certificate that the index knows', async () => {
  const dir = tempFolder();
  await openAuthority(dir, { clock: systemClock }).init('Our CA');
  const names = ['a.example.com', 'b.example.com', 'c.example.com'];
  await Promise.all(
    names.map((name) =>
      openAuthority(dir, { clock: systemClock }).issue({ name, role: 'agent', keyType: 'p256', days: 1 }),
    ),
  );
  const listed = (await openAuthority(dir, { clock: systemClock }).list()).map(({ name }) => name);
  expect(listed.sort()).toEqual(names);
});
