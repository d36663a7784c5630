/** Names whose certificates are all revoked, from the files of Puppet's CA and of kick's. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { revokedNames, signedByKick, signedByPuppet, signedIn } from '../../src/controller/revoked-names.ts';
import { openAuthority } from '../../src/pki/authority.ts';
import { systemClock } from '../../src/util/clock.ts';
import { type Issued, mintCa } from '../../tools/mint/mint-ca.ts';
import { tempFolder } from '../support/temp.ts';

const lineOf = ({ serial, certname }: Issued, until = '2099-01-01T00:00:00UTC') =>
  `0x${serial.toLowerCase()} 2020-01-01T00:00:00UTC ${until} /CN=${certname}\n`;

test("Puppet's inventory.txt and CRL: a name with a newer certificate is not revoked", async () => {
  for (const intermediate of [false, true]) {
    const ca = mintCa({ intermediate });
    const [gone, old, renewed, fine] = ['gone.x', 'new.x', 'new.x', 'fine.x'].map((name) => ca.issue(name));
    if (!gone || !old || !renewed || !fine) throw new Error('not issued');
    ca.revoke(gone);
    ca.revoke(old);
    const cadir = tempFolder();
    writeFileSync(
      join(cadir, 'inventory.txt'),
      [gone, old, renewed, fine].map((one) => lineOf(one)).join(''),
    );
    writeFileSync(join(cadir, 'ca_crl.pem'), ca.crls());
    const signed = await signedByPuppet(cadir, ca.controller());
    expect(signed.map(({ name, isRevoked }) => [name, isRevoked])).toEqual([
      ...[
        ['gone.x', true],
        ['new.x', true],
        ['new.x', false],
        ['fine.x', false],
      ],
    ]);
    expect([...revokedNames(signed, Date.now())]).toEqual(['gone.x']);
  }
});

test('a certificate that was signed without a running server is in no list, and is looked at itself', async () => {
  const ca = mintCa();
  const [gone, fine] = [ca.issue('gone.x'), ca.issue('fine.x')];
  ca.revoke(gone);
  const cadir = tempFolder();
  writeFileSync(join(cadir, 'inventory.txt'), lineOf(fine));
  writeFileSync(join(cadir, 'ca_crl.pem'), ca.crls());
  mkdirSync(join(cadir, 'signed'));
  for (const { certname, certificate } of [gone, fine])
    writeFileSync(join(cadir, 'signed', `${certname}.pem`), certificate);
  writeFileSync(join(cadir, 'signed', 'odd.x.pem'), 'none');
  const signed = await signedByPuppet(cadir, ca.controller());
  expect(signed.map(({ name, isRevoked }) => [name, isRevoked])).toEqual([
    ['fine.x', false],
    ['gone.x', true],
  ]);
});

test('a certificate that has expired says nothing of a name', () => {
  const text = [
    '0x0001 2015-01-01T00:00:00UTC 2020-01-01T00:00:00UTC /CN=a.x',
    '0x0002 2019-01-01T00:00:00UTC 2099-01-01T00:00:00UTC /CN=a.x',
    '0003 2019-01-01T00:00:00UTC 2020-01-01T00:00:00UTC /CN=b.x',
    'no line of ours',
    '',
  ].join('\n');
  const signed = signedIn(text, new Set([1n, 2n, 3n]));
  expect(signed).toHaveLength(3);
  expect([...revokedNames(signed, Date.now())]).toEqual(['a.x']);
  expect([...revokedNames(signedIn(text, new Set([1n, 3n])), Date.now())]).toEqual([]);
});

test('no CA here: nothing is known; a CRL that is none: an error', async () => {
  const identity = mintCa().controller();
  const folder = tempFolder();
  expect(await signedByPuppet(join(folder, 'none'), identity)).toEqual([]);
  expect(await signedByKick(folder)).toEqual([]);
  writeFileSync(join(folder, 'inventory.txt'), '');
  writeFileSync(join(folder, 'ca_crl.pem'), '-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n');
  await expect(signedByPuppet(folder, identity)).rejects.toMatchObject({ code: 'config' });
});

test("kick's own CA", async () => {
  const folder = tempFolder();
  const authority = openAuthority(folder, { clock: systemClock });
  await authority.init('test');
  for (const name of ['a.x', 'b.x']) await authority.issue({ name, role: 'agent', keyType: 'p256', days: 9 });
  await authority.revoke('a.x');
  const signed = await signedByKick(folder);
  expect([...revokedNames(signed, Date.now())]).toEqual(['a.x']);
});
