/** A bit of a certificate or a CRL may be another, or all bits of a byte: that is refused with words of ours, or changes nothing. */
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KickError } from '../../src/errors.ts';
import { childrenOf, TAG, writeElement } from '../../src/pki/der.ts';
import type { IdentityPaths } from '../../src/pki/identity.ts';
import { loadTrust } from '../../src/pki/load-identity.ts';
import { ChainError, chainVerifier } from '../../src/pki/peer-chain.ts';
import { mintCa } from '../../tools/mint/mint-ca.ts';
import { tempFolder } from '../support/temp.ts';

const ca = mintCa();
const paths = ca.write(join(tempFolder(), 'pki'), ca.issue('web1.example.com', { role: 'agent' }));
const [revoked, believed] = [ca.issue('gone.example.com'), ca.issue('here.example.com')];
ca.revoke(revoked);
writeFileSync(paths.crl, ca.crls());

/** The header of a sequence, its length in two bytes where one would do (X.690 8.1.3.5; 10.1 forbids it in DER). */
const longHeader = (content: Uint8Array) => Uint8Array.of(TAG.sequence, 0x81, content.length);

const derOf = ({ certificate }: { certificate: string }) => new X509Certificate(certificate).raw;

/** `believed` and `revoked` are not by what these files say. Throws what was not declared. */
async function verdicts(): Promise<{ isBelieved: boolean; isGoneBelieved: boolean }> {
  const isLetIn = (trust: Awaited<ReturnType<typeof loadTrust>>, der: Buffer) => {
    try {
      chainVerifier(trust).verify([der], { now: Date.now(), use: 'clientAuth' });
      return true;
    } catch (error) {
      if (error instanceof ChainError) return false;
      throw error;
    }
  };
  try {
    const trust = await loadTrust(paths, { now: Date.now() });
    return { isBelieved: isLetIn(trust, derOf(believed)), isGoneBelieved: isLetIn(trust, derOf(revoked)) };
  } catch (error) {
    if (error instanceof KickError && error.code === 'identity')
      return { isBelieved: false, isGoneBelieved: false };
    throw error;
  }
}

function* damages(pem: string): Generator<string> {
  const [head = '', base64 = '', tail = ''] = pem.split(/(?<=-----)\n|\n(?=-----END)/);
  const der = Buffer.from(base64, 'base64');
  for (const mask of [0x01, 0xff]) {
    for (let at = 0; at < der.length; at++) {
      const other = Buffer.from(der);
      other[at] = (other[at] ?? 0) ^ mask;
      yield `${head}\n${other.toString('base64')}\n${tail}`;
    }
  }
}

test('whole, the files say who is believed', async () => {
  expect(await verdicts()).toEqual({ isBelieved: true, isGoneBelieved: false });
});

test.each<keyof IdentityPaths>(['crl', 'ca', 'certificate'])('the %s', async (which) => {
  const path = paths[which] ?? '';
  const whole = readFileSync(path, 'utf8');
  let refused = 0;
  for (const damaged of damages(whole)) {
    writeFileSync(path, damaged);
    const { isBelieved, isGoneBelieved } = await verdicts();
    expect(isGoneBelieved).toBe(false);
    if (!isBelieved) refused += 1;
  }
  writeFileSync(path, whole);
  expect(refused).toBeGreaterThan(100);
});

test('the certificate that somebody shows', async () => {
  const trust = await loadTrust(paths, { now: Date.now() });
  const der = derOf(believed);
  const verifier = chainVerifier(trust);
  for (const mask of [0x01, 0xff]) {
    for (let at = 0; at < der.length; at++) {
      const other = Buffer.from(der);
      other[at] = (other[at] ?? 0) ^ mask;
      expect(() => verifier.verify([other], { now: Date.now(), use: 'clientAuth' })).toThrow(ChainError);
    }
  }
});

test('a CA beside ours whose lengths are not the shortest', async () => {
  const whole = readFileSync(paths.ca, 'utf8');
  const { raw } = new X509Certificate(mintCa({ name: 'Another' }).certificates);
  const [tbs, ...signature] = childrenOf(raw, TAG.sequence);
  const fields = childrenOf(tbs?.whole ?? raw, TAG.sequence).map(({ tag, content, whole }) =>
    tag === TAG.sequence && content.length < 0x80 ? Buffer.concat([longHeader(content), content]) : whole,
  );
  const odd = writeElement(
    TAG.sequence,
    writeElement(TAG.sequence, ...fields),
    ...signature.map((one) => one.whole),
  );
  const pem = `-----BEGIN CERTIFICATE-----\n${odd.toString('base64')}\n-----END CERTIFICATE-----\n`;
  expect(new X509Certificate(pem).subject).toContain('Another');
  writeFileSync(paths.ca, whole + pem);
  await expect(loadTrust(paths, { now: Date.now() })).rejects.toMatchObject({ code: 'identity' });
  writeFileSync(paths.ca, whole);
});
