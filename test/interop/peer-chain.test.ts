/**
 * Certificates that did not come by TLS, in random company, judged by OpenSSL and by us. What we believe OpenSSL believes.
 * What only OpenSSL believes is refused for one of the reasons below. KICK_TEST_CHAINS=5000 tries for longer.
 */
import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { splitCrls } from '../../src/pki/crl.ts';
import { chainVerifier, type Use } from '../../src/pki/peer-chain.ts';
import { type Made, type OpensslCa, opensslCa } from '../support/openssl-ca.ts';

const CHAINS = Number(process.env['KICK_TEST_CHAINS'] ?? 250);
const DAY_MS = 86_400_000;

/** Where we are stricter, and why that is right for certificates of a Puppet CA. */
const STRICTER: readonly (readonly [RegExp, string])[] = [
  [/a CRL (has expired|is not valid yet) here/, 'of any CA of ours it says that they are not kept up'],
  [/may sign nothing/, 'questions and answers are signed; a key for encryption only cannot'],
  [/is a CA$/, 'a CA neither asks nor answers'],
  [/not known: 551d1e/, 'names are not compared with the constraints of a CA, so such a CA is not believed'],
  [/no CRL of/, 'only a CA of ours has a CRL of ours: one that the other side brought has none'],
];

const KINDS: Record<string, { extensions?: string[]; days?: number; key?: string[] }> = {
  plain: { extensions: ['extendedKeyUsage=clientAuth,serverAuth', 'subjectAltName=DNS:web1.example.com'] },
  open: {},
  client: { extensions: ['extendedKeyUsage=clientAuth'] },
  server: { extensions: ['extendedKeyUsage=serverAuth', 'keyUsage=digitalSignature'] },
  mail: { extensions: ['extendedKeyUsage=emailProtection'] },
  encrypts: { extensions: ['keyUsage=keyEncipherment'] },
  odd: { extensions: ['1.2.3.4=critical,ASN1:NULL'] },
  authority: { extensions: ['basicConstraints=CA:TRUE'] },
  brief: { days: 3 },
  weak: { key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024'] },
  taken: {},
};

function make(ca: OpensslCa) {
  const CA = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign'];
  const root = ca.certificate('root', { name: 'Root CA', extensions: CA, days: 60 });
  const twin = ca.certificate('twin', { name: 'Root CA', extensions: CA, days: 60 });
  const below = (id: string, issuer: Made, extensions: readonly string[], days = 40) =>
    ca.certificate(id, { issuer, extensions, days });
  const good = below('good', root, CA);
  const short = below('short', root, ['basicConstraints=critical,CA:TRUE,pathlen:0', CA[1] ?? '']);
  const cas = [
    ...[root, twin, good, short],
    below('old', root, CA, 5),
    below('no-sign', root, ['basicConstraints=CA:TRUE', 'keyUsage=digitalSignature,cRLSign']),
    below('no-crl-sign', root, ['basicConstraints=CA:TRUE', 'keyUsage=keyCertSign']),
    below('no-ca', root, ['basicConstraints=CA:FALSE']),
    below('for-servers', root, [...CA, 'extendedKeyUsage=serverAuth']),
    below('no-names', root, [...CA, 'nameConstraints=excluded;DNS:example.com']),
    below('gone', root, CA),
    below('stranger', twin, CA),
    below('good-below', good, CA),
    below('short-below', short, CA),
  ];
  const leaves = cas.flatMap((issuer) =>
    Object.entries(KINDS).map(([kind, how]) =>
      ca.certificate(`${issuer.id}.${kind}`, { issuer, days: 10, ...how }),
    ),
  );
  const gone = [...cas, ...leaves].filter(({ id }) => id === 'gone' || id.endsWith('.taken'));
  const crls = cas.map((of) => ({
    of,
    text: ca.crl(of, { revoked: gone.filter(({ issuer }) => issuer === of) }),
  }));
  const old = [root, good].map((of) => ({ of, text: ca.crl(of, { to: 2 }) }));
  const coming = [root, good].map((of) => ({ of, text: ca.crl(of, { from: 6 }) }));
  return { root, twin, cas, leaves, crls, odd: [...old, ...coming] };
}

/** A fixed sequence: what it finds, it finds again. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (state * 1_664_525 + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

/** Usually what is needed and nothing else; sometimes less, more, or in another order. */
function company(all: ReturnType<typeof make>, roll: (sides: number) => number) {
  const one = <T>(from: readonly T[]) => from[roll(from.length)] as T;
  const leaf = one(all.leaves);
  const path: Made[] = [];
  for (let above = leaf.issuer; above !== undefined; above = above.issuer) path.push(above);
  const root = path.at(-1) as Made;
  const inner = path.slice(0, -1);
  const known = inner.filter(() => roll(3) === 0);
  const sent = inner.filter((ca) => roll(10) > 0 && (!known.includes(ca) || roll(2) === 0));
  if (roll(6) === 0) sent.push(one(all.cas));
  if (roll(4) === 0) sent.reverse();
  const trust = roll(12) === 0 ? [one(all.cas)] : roll(2) === 0 ? [root, ...known] : [...known, root];
  const crls = all.crls.filter(({ of }) => path.includes(of) && roll(25) > 0).map(({ text }) => text);
  if (roll(8) === 0) crls.push(one([...all.crls, ...all.odd]).text);
  return {
    ...{ trust, chain: [leaf, ...sent], crls, use: one<Use>(['clientAuth', 'serverAuth']) },
    now: Date.now() + one([0, 0, 0, 0, 0, 0, -1, 4, 8, 15, 25]) * DAY_MS + 60_000,
  };
}

function ours({ trust, chain, crls, use, now }: ReturnType<typeof company>): string | undefined {
  const certificates = trust.map(({ pem }) => new X509Certificate(pem));
  try {
    const verifier = chainVerifier({ ca: certificates, crls: splitCrls(crls.join('')) });
    verifier.verify(
      chain.map(({ pem }) => new X509Certificate(pem).raw),
      { now, use },
    );
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

test('OpenSSL and we judge chains alike, or it is known why not', () => {
  const ca = opensslCa();
  const all = make(ca);
  const roll = dice(1);
  const counts = { both: 0, neither: 0, stricter: 0 };
  const odd: string[] = [];
  for (let count = 0; count < CHAINS; count++) {
    const judged = company(all, roll);
    const [mine, theirs] = [ours(judged), ca.verdict(judged)];
    if (mine === undefined && theirs === undefined) counts.both += 1;
    else if (mine !== undefined && theirs !== undefined) counts.neither += 1;
    else if (mine !== undefined && STRICTER.some(([why]) => why.test(mine))) counts.stricter += 1;
    else {
      const { trust, chain, use, now } = judged;
      const names = (made: readonly Made[]) => made.map(({ id }) => id).join(' ');
      const days = Math.round((now - Date.now()) / DAY_MS);
      odd.push(`${names(chain)} | ${names(trust)} | ${use} ${days}: ${mine ?? 'yes'} / ${theirs ?? 'yes'}`);
    }
  }
  expect(odd).toEqual([]);
  expect(counts.both).toBeGreaterThan(CHAINS / 40);
  expect(counts.neither).toBeGreaterThan(CHAINS / 4);
});
