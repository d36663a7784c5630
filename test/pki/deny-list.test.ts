/** The list of denied certificates: what stands in it, whom it means, and what is refused in it. */
import { createHash, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseDenyList } from '../../src/pki/deny-list.ts';
import { loadTrust } from '../../src/pki/load-identity.ts';
import { mirrored } from '../../src/pki/mirrored-signature.ts';
import { chainVerifier } from '../../src/pki/peer-chain.ts';
import { certify, crlOf } from '../../tools/mint/authority.ts';
import { generateKey } from '../../tools/mint/keys.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { tempFolder } from '../support/temp.ts';

const ca = mintCa();
const [web1, web2] = ['web1.example.com', 'web2.example.com'].map((name) => ca.agent(name).chain[0]);
if (web1 === undefined || web2 === undefined) throw new Error('no certificate');

const deniedBy = (text: string) => {
  const list = parseDenyList(text, 'load it');
  return [web1, web2].map(({ raw }) => list.denies(raw) !== undefined);
};
const colons = (hex: string) => hex.match(/../g)?.join(':') ?? '';
const sha256 = createHash('sha256').update(web1.raw).digest('hex');

test.each([
  ['nothing', '', [false, false]],
  ['comments', '# web1.example.com\n\n   # nobody\n', [false, false]],
  ['a certname', 'web1.example.com # stolen\n', [true, false]],
  ['another certname', 'web1.example\n', [false, false]],
  ['a serial number', `serial:${web1.serialNumber}\r\n`, [true, false]],
  ['one as OpenSSL prints it in -text', `serial:${colons(`00${web1.serialNumber}`)}\n`, [true, false]],
  ['a fingerprint', `sha256:${sha256}\n`, [true, false]],
  ['one as OpenSSL prints it', `SHA256:${colons(sha256).toUpperCase()}`, [true, false]],
  ['several', `web2.example.com\nsha256:${sha256}`, [true, true]],
])('with %s denies whom it names', (_, text, denied) => {
  expect(deniedBy(text)).toEqual(denied);
});

test.each([
  'Web1.Example.Com',
  'web*',
  'serial:',
  'serial:xyz',
  'sha256:abcd',
  'sha1:ab',
  'web1 web2',
  '../x',
  '\0',
])('a line like %j is an error: whoever wrote it meant somebody', (line) => {
  expect(() => parseDenyList(`web9.example.com\n${line}\n`, 'load it')).toThrow(/^load it: line 2: /);
});

test('answers that come through a broker are judged by it as well', () => {
  const trust = ca.controller();
  const denied = parseDenyList('web1.example.com', 'load it');
  const options = { now: Date.now(), use: 'serverAuth' } as const;
  const verifier = chainVerifier({ ...trust, denied });
  expect(() => verifier.verify([web1.raw], options)).toThrow('denied here');
  expect(verifier.verify([web2.raw], options).subject).toBe('CN=web2.example.com');
});

test.each(['P-256', 'P-384', 'P-521'])('an ECDSA signature (r, n − s) of %s hides nobody', (namedCurve) => {
  const issuer = { subject: ['Test CA'], key: generateKeyPairSync('ec', { namedCurve }).privateKey };
  const isSigned = (der: Uint8Array) => new X509Certificate(der).verify(createPublicKey(issuer.key));
  for (let count = 0; count < 20; count++) {
    const subject = ['web1.example.com'];
    const { raw } = new X509Certificate(
      certify({ subject, key: generateKey('ed25519'), issuer, role: 'agent' }),
    );
    const twins = mirrored(raw).filter(isSigned);
    expect(twins).toHaveLength(1);
    const twin = twins[0] ?? raw;
    expect([twin.equals(raw), new X509Certificate(twin).raw.equals(twin)]).toEqual([false, true]);
    const list = parseDenyList(`sha256:${createHash('sha256').update(raw).digest('hex')}`, 'load it');
    expect(list.denies(twin)).toBeDefined();
    expect(list.denies(web1.raw)).toBeUndefined();
  }
});

test.each(['secp256k1', 'brainpoolP256r1'])(
  'a fingerprint is refused where a CA signs by %s: its twin is not known here, and a serial number has none',
  async (namedCurve) => {
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve });
    const subject = ['Odd CA'];
    const odd = { subject, key, revoked: [] };
    const certificate = certify({ subject, key, issuer: odd, role: 'ca' });
    const pki = tempFolder();
    const paths = { ...ca.write(pki, ca.issue('web1.example.com')), denied: join(pki, 'denied') };
    writeFileSync(paths.ca, certificate + ca.certificates);
    writeFileSync(paths.crl, crlOf({ ...odd, certificate }, 1) + ca.crls());
    const loaded = (denied: string) => {
      writeFileSync(paths.denied, denied);
      return loadTrust(paths, { now: Date.now() });
    };
    await expect(loaded(`web2.example.com\nsha256:${sha256}\n`)).rejects.toMatchObject({
      message: expect.stringContaining(`denied": line 2: a CA here signs by ${namedCurve}`),
      hint: expect.stringContaining('serial:HEX'),
    });
    expect((await loaded(`serial:${web1.serialNumber}\n`)).denied?.denies(web1.raw)).toBeDefined();
  },
);

test('other signatures have one spelling, and what is no certificate has none', () => {
  const rsa = { subject: ['Test CA'], key: generateKey('rsa-2048') };
  const pem = certify({
    subject: ['web1.example.com'],
    key: generateKey('p256'),
    issuer: rsa,
    role: 'agent',
  });
  expect(mirrored(new X509Certificate(pem).raw)).toEqual([]);
  expect([Buffer.alloc(0), Buffer.from('no certificate'), web1.raw.subarray(1)].flatMap(mirrored)).toEqual(
    [],
  );
});
