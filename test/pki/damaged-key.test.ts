/** A key of which a bit is another is still a key, and still belongs to its certificate; but nobody believes what it signs. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ownPaths } from '../../src/config/identity.ts';
import { isWhole } from '../../src/pki/identity-files.ts';
import { loadIdentity } from '../../src/pki/load-identity.ts';
import { newKey, pemOf } from '../../src/pki/new-key.ts';
import { generateKey, pemOf as oddPemOf } from '../../tools/mint/keys.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { damagedKey } from '../support/damaged-key.ts';
import { caSite, enrollHere, NODE, nodePlace, serveHere } from '../support/enrolment.ts';
import { tempFolder } from '../support/temp.ts';

const PSS_384 = { modulusLength: 2048, hashAlgorithm: 'sha384', mgf1HashAlgorithm: 'sha384' };

test('an identity with a damaged key is not used', async () => {
  const dir = tempFolder();
  const ca = mintCa();
  ca.write(dir, ca.issue(NODE, { role: 'agent' }));
  const path = join(dir, 'private_keys', `${NODE}.pem`);
  writeFileSync(path, damagedKey(readFileSync(path)));
  await expect(loadIdentity(ownPaths(dir, NODE), { now: Date.now() })).rejects.toThrow(
    /it is damaged, its two halves do not fit/,
  );
});

test.each([
  ['RSA', () => generateKeyPairSync('rsa', { modulusLength: 2048 })],
  ['RSA-PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
  ['RSA-PSS, SHA-384 only', () => generateKeyPairSync('rsa-pss', PSS_384)],
  ['P-384', () => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  ['Ed25519', () => generateKeyPairSync('ed25519')],
  ['Ed448', () => generateKeyPairSync('ed448')],
])('a whole key of the page for %s is not taken for damaged', (_what, make) => {
  expect(isWhole(make().privateKey)).toBe(true);
});

test.each([
  ['damaged', () => damagedKey(pemOf(newKey('p256')))],
  ['an RSA key', () => oddPemOf(generateKey('rsa-2048'))],
  ['an Ed25519 key', () => oddPemOf(generateKey('ed25519'))],
  ['empty', () => ''],
])('a node whose key in the making is %s makes another, and is enrolled', async (_what, pem) => {
  const site = await caSite();
  const { port } = await serveHere(site);
  const place = nodePlace();
  const keys = dirname(place.paths.key);
  mkdirSync(keys, { recursive: true, mode: 0o700 });
  writeFileSync(`${place.paths.key}.new`, pem(), { mode: 0o600 });
  await enrollHere(port, await site.token(), { place });
  expect((await loadIdentity(place.paths, { now: Date.now() })).certname).toBe(NODE);
  expect(readdirSync(keys)).toEqual([`${NODE}.pem`]);
});
