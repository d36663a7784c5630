/** Certificates that did not come by TLS are judged as OpenSSL judges those that do. */
import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Identity } from '../../src/pki/identity.ts';
import { chainVerifier, type Use } from '../../src/pki/peer-chain.ts';
import { type Authority, certify, crlOf, newAuthority } from '../../tools/mint/authority.ts';
import { generateKey } from '../../tools/mint/keys.ts';
import { type IssueOptions, mintCa, selfSigned } from '../../tools/mint/mint-ca.ts';

const DAY_MS = 86_400_000;

function verdict(
  trust: Identity,
  chain: readonly X509Certificate[],
  { now = Date.now(), use = 'serverAuth' as Use } = {},
) {
  const ders = chain.map(({ raw }) => raw);
  try {
    return chainVerifier(trust).verify(ders, { now, use }).subject;
  } catch (error) {
    expect(error).toBeInstanceOf(Error);
    return (error as Error).message.replace(/"[^"]*"/, 'it');
  }
}

const asCa = (root: Authority) =>
  ({ subject: root.subject, key: root.key, issuer: root, role: 'ca' }) as const;

const ca = mintCa();
const ours = ca.controller();
const agent = (how: IssueOptions = {}) => ca.agent('web1.example.com', how).chain;

test('a certificate of our CA is believed, of every kind of key', () => {
  for (const keyType of ['p256', 'rsa-2048', 'ed25519'] as const)
    expect(verdict(ours, agent({ keyType }))).toBe('CN=web1.example.com');
});

test.each([
  [
    'of another CA of the same name',
    mintCa().agent('web1.example.com').chain,
    /another CA|no CA that is known/,
  ],
  ['signed by itself', selfSigned(ca.agent('web1.example.com')).chain, /another CA/],
  ['that has expired', agent({ notAfter: Date.now() - DAY_MS }), /has expired/],
  ['that is not valid yet', agent({ notBefore: Date.now() + DAY_MS }), /not valid yet/],
  ['for another purpose', agent({ purposes: ['clientAuth'] }), /not for serverAuth/],
  ['of the CA itself', ours.ca, /another CA|is a CA/],
  ['that is none at all', [], /no certificate/],
])('a certificate %s is not', (_, chain, why) => {
  expect(verdict(ours, chain)).toMatch(why);
});

test('one that is revoked is not, and neither is one for whose CA there is no CRL, or an old one', () => {
  const revoking = mintCa();
  const gone = revoking.agent('gone.example.com');
  revoking.revoke(gone);
  const trust = revoking.controller();
  expect(verdict(trust, gone.chain)).toMatch(/has been revoked/);
  expect(verdict(trust, revoking.agent('web1.example.com').chain)).toBe('CN=web1.example.com');
  expect(verdict({ ...ours, crls: [] }, agent())).toMatch(/no CRL of/);
  expect(verdict(ours, agent(), { now: Date.now() + 400 * DAY_MS })).toMatch(/a CRL has expired/);
});

test('an old CRL beside one that is fresh only revokes', () => {
  const root = newAuthority('Our CA');
  const issue = (name: string) =>
    new X509Certificate(certify({ subject: [name], key: generateKey('p256'), issuer: root, role: 'agent' }));
  const [web1, gone] = [issue('web1.example.com'), issue('gone.example.com')];
  const revoked = [{ serial: gone.serialNumber, at: Date.now() - 3 * DAY_MS }];
  const [fresh, old] = [crlOf(root, 365), crlOf({ ...root, revoked }, -1)];
  const trust = (...crls: string[]) => ({ ...ours, ca: [new X509Certificate(root.certificate)], crls });
  for (const both of [trust(old, fresh), trust(fresh, old)]) {
    expect(verdict(both, [web1])).toBe('CN=web1.example.com');
    expect(verdict(both, [gone])).toMatch(/has been revoked/);
  }
  const ofAnother = { ...trust(old, ...ours.crls), ca: [...trust().ca, ...ours.ca] };
  for (const one of [trust(old), ofAnother]) expect(verdict(one, [web1])).toMatch(/a CRL has expired/);
});

test('a CRL of a CA that only has the same name says nothing', () => {
  const other = mintCa();
  expect(verdict({ ...ours, crls: other.controller().crls }, agent())).toMatch(/no CRL of/);
});

test('a CA below a root, as Puppet has it: the chain may lead through what was sent or what is known', () => {
  const below = mintCa({ intermediate: true });
  const trust = below.controller();
  const { chain } = below.agent('web1.example.com');
  expect(verdict(trust, chain)).toBe('CN=web1.example.com');
  expect(verdict(trust, [...chain, ...trust.ca])).toBe('CN=web1.example.com');
  const withoutRoot = { ...trust, ca: trust.ca.slice(0, 1) };
  expect(verdict(withoutRoot, chain)).toMatch(/no CA that is known/);
});

test('two CAs at once: certificates of both are believed, and of the one that is left only its own', () => {
  const young = mintCa({ name: 'New CA' });
  const next = young.controller();
  const both = { ...ours, ca: [...ours.ca, ...next.ca], crls: [...ours.crls, ...next.crls] };
  const later = young.agent('web2.example.com').chain;
  expect([verdict(both, agent()), verdict(both, later)]).toEqual([
    'CN=web1.example.com',
    'CN=web2.example.com',
  ]);
  expect(verdict(next, later)).toBe('CN=web2.example.com');
  expect(verdict(next, agent())).toMatch(/no CA that is known/);
});

test('a CA that was renewed with its key, beside the certificate that is over, in any order', () => {
  const root = newAuthority('Our CA');
  const over = certify({ ...asCa(root), notAfter: Date.now() - DAY_MS });
  const key = generateKey('p256');
  const leaf = certify({ subject: ['web1.example.com'], key, issuer: root, role: 'agent' });
  for (const pems of [
    [over, root.certificate],
    [root.certificate, over],
  ]) {
    const trust = { ...ours, ca: pems.map((pem) => new X509Certificate(pem)), crls: [crlOf(root, 365)] };
    expect(verdict(trust, [new X509Certificate(leaf)])).toBe('CN=web1.example.com');
  }
});

test('a leaf issues nothing', () => {
  const leaf = ca.agent('ca.example.com');
  const { chain } = ca.agent('web1.example.com');
  expect(verdict({ ...ours, ca: leaf.chain }, [...chain, ...leaf.chain])).toMatch(/no CA that is known/);
});

test('what was verified once is judged by its dates again', () => {
  const verifier = chainVerifier(ours);
  const chain = agent({ notAfter: Date.now() + DAY_MS }).map(({ raw }) => raw);
  const at = (now: number) => () => verifier.verify(chain, { now, use: 'serverAuth' });
  expect(at(Date.now())().subject).toBe('CN=web1.example.com');
  expect(at(Date.now() + 2 * DAY_MS)).toThrow(/has expired/);
});

test('what was verified once is known again whatever is sent beside it', () => {
  const below = mintCa({ intermediate: true });
  const verifier = chainVerifier(below.controller());
  const leaf = below.agent('web1.example.com').chain[0]?.raw ?? Buffer.alloc(0);
  const junk = () => mintCa().certificates;
  const beside = [[], [junk()], [junk(), junk()], [below.certificates]].map((pems) => [
    leaf,
    ...pems.map((pem) => new X509Certificate(pem).raw),
  ]);
  const verified = beside.map((ders) => verifier.verify(ders, { now: Date.now(), use: 'serverAuth' }));
  expect(new Set(verified).size).toBe(1);
});

test('a CA below ours is believed once our own files name it, not because it was sent', () => {
  const below = mintCa({ intermediate: true });
  const trust = below.controller();
  const [issuing, root] = trust.ca;
  if (issuing === undefined || root === undefined) throw new Error('no CAs');
  const { chain } = below.agent('web1.example.com');
  expect(verdict({ ...trust, ca: [root] }, [...chain, issuing])).toMatch(/no CRL of/);
});

test('bytes that are no certificate, or one that was changed, are refused', () => {
  const [leaf] = agent();
  const verifier = chainVerifier(ours);
  const accepts = (der: Uint8Array) => {
    try {
      verifier.verify([der], { now: Date.now(), use: 'serverAuth' });
      return true;
    } catch {
      return false;
    }
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => !accepts(bytes)));
  const raw = leaf?.raw ?? Buffer.alloc(0);
  fc.assert(
    fc.property(fc.nat(raw.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const changed = Buffer.from(raw);
      changed[at] = (changed[at] ?? 0) ^ change;
      return !accepts(changed);
    }),
  );
  expect(accepts(Buffer.concat([raw, Buffer.from('x')]))).toBe(false);
});
