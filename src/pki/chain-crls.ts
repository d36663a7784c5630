/** The CRLs of our CAs, each verified by the key of the CA that it names. */
import { type KeyObject, verify, type X509Certificate } from 'node:crypto';
import { extensionsOf, hashOf, isCritical, subjectOf } from './certificate-fields.ts';
import { readCrl } from './crl.ts';
import { childrenOf, DerError, readAll, serialNumber, TAG } from './der.ts';

export interface Crl {
  issuer: X509Certificate;
  /** Milliseconds since 1970. */
  thisUpdate: number;
  nextUpdate?: number;
  revoked: ReadonlySet<bigint>;
}

/**
 * Leaves out those that no CA has signed, and those that say more than which certificates are revoked. Throws `DerError` for
 * what is no CRL.
 */
export function crlsOf(pems: readonly string[], ca: readonly X509Certificate[]): Crl[] {
  return pems.flatMap((pem): Crl[] => {
    const { issuer: name, revoked, thisUpdate, nextUpdate } = readCrl(pem);
    const issuer = ca.find((one) => {
      try {
        return Buffer.compare(subjectOf(one), name) === 0 && signsCrls(one) && isSigned(pem, one.publicKey);
      } catch (error) {
        if (error instanceof DerError) return false; // what cannot be read of either may say anything
        throw error;
      }
    });
    if (issuer === undefined) return [];
    const serials = new Set(revoked.map(serialNumber));
    return [{ issuer, revoked: serials, thisUpdate, ...(nextUpdate !== undefined && { nextUpdate }) }];
  });
}

const signsCrls = (issuer: X509Certificate) => extensionsOf(issuer.raw).keyUsage?.crlSign !== false;

/** RFC 5280 5.1: the list, its algorithm, its signature. Throws `DerError`. */
function isSigned(pem: string, key: KeyObject): boolean {
  const [, base64 = ''] = /-----BEGIN X509 CRL-----([^-]+)-----/.exec(pem) ?? [];
  const [list, algorithm, signature] = childrenOf(Buffer.from(base64, 'base64'), TAG.sequence);
  if (list === undefined || algorithm === undefined || signature === undefined) return false;
  if (hasCriticalExtension(list.whole)) return false;
  const hash = hashOf(algorithm.whole);
  if (hash === undefined) return false;
  try {
    // A bit string: its first byte counts the bits that are not used.
    return verify(hash, list.whole, key, signature.content.subarray(1));
  } catch {
    return false; // the key of another algorithm, under the same name
  }
}

/** 5.2: `[0]`, behind the list. One that is critical changes what the list means: an indirect or a delta CRL. */
function hasCriticalExtension(list: Uint8Array): boolean {
  const last = childrenOf(list, TAG.sequence).at(-1);
  if (last?.tag !== 0xa0) return false;
  return readAll(last.content).some(({ whole }) =>
    childrenOf(whole, TAG.sequence).some((extension) => isCritical(extension.whole)),
  );
}
