/** Certificates and CRLs of ours, by the rules of OpenSSL's own command. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownPaths } from '../../src/config/identity.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { systemClock } from '../../src/util/clock.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { tempFolder } from '../support/temp.ts';

const verify = (...args: string[]) =>
  execFileSync('openssl', ['verify', '-x509_strict', ...args], { encoding: 'utf8', stdio: 'pipe' });

test.each([
  ['agent', 'sslclient', true],
  ['agent', 'sslserver', true],
  ['controller', 'sslclient', true],
  ['controller', 'sslserver', true],
  ['controller', 'smimesign', false],
] as const)("kick pki's certificate of an %s as %s: %s", async (role, purpose, isGood) => {
  const dir = tempFolder();
  const authority = openAuthority(dir, { clock: systemClock });
  await authority.init('Our CA');
  await authority.issue({ name: 'web1.example.com', role, keyType: 'p256', days: 60 });
  const { ca, crl, certificate } = ownPaths(dir, 'web1.example.com');
  const files = ['-crl_check', '-CRLfile', crl, '-CAfile', ca, certificate];
  if (isGood) expect(verify('-purpose', purpose, ...files)).toContain('OK');
  else expect(() => verify('-purpose', purpose, ...files)).toThrow(/unsuitable certificate purpose/);
});

test('a CRL of ours revokes whom it names and nobody else', () => {
  const folder = tempFolder();
  const ca = mintCa({ intermediate: true });
  const [good, bad] = [ca.issue('good.example.com'), ca.issue('bad.example.com')];
  ca.revoke(bad);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const files = ['-CAfile', file('ca.pem', ca.certificates), '-CRLfile', file('crl.pem', ca.crls())];
  const check = (pem: string) => verify('-crl_check_all', ...files, file('leaf.pem', pem));
  expect(check(good.certificate)).toContain('OK');
  expect(() => check(bad.certificate)).toThrow(/certificate revoked/);
});
