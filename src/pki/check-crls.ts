/** If a CRL is missing or expired, OpenSSL rejects every peer, so CRLs are checked when the identity is loaded. */
import type { X509Certificate } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { readCrl } from './crl.ts';
import { childrenOf, serialNumber, TAG } from './der.ts';
import type { IdentityPaths } from './identity.ts';
import { broken, FETCH_CRL, nameFor, RENEW } from './identity-files.ts';

const DAY_MS = 86_400_000;

/** Warns this many days before a CRL expires. */
const WARN_CRL_DAYS = 7;

export interface CheckedCrl {
  pem: string;
  issuer: Uint8Array;
  nextUpdate?: number;
  revoked: string[];
}

/** Throws `KickError` `identity` if a CA of `ca` has no valid CRL. `now` is milliseconds since 1970. */
export function checkCrls(
  pems: readonly string[],
  ca: readonly X509Certificate[],
  { paths: { crl: path, ca: caPath }, now }: { paths: IdentityPaths; now: number },
): CheckedCrl[] {
  if (pems.length === 0) throw broken('CRLs', path, { why: 'there is no CRL in it', hint: FETCH_CRL });
  let crls: CheckedCrl[];
  try {
    crls = pems.map((pem) => ({ pem, ...readCrl(pem) }));
  } catch (error) {
    throw broken('CRLs', path, { why: messageOf(error) });
  }
  const fresh = (crl: CheckedCrl) => crl.nextUpdate === undefined || crl.nextUpdate > now;
  for (const authority of ca) {
    const subject = readableSubject(authority, caPath);
    const own = crls.filter(({ issuer }) => Buffer.compare(issuer, subject) === 0);
    const name = nameFor(authority);
    if (own.length === 0) {
      throw broken('CRLs', path, {
        why: `there is none of "${name}", which is in "${caPath}"`,
        hint: REFRESH,
      });
    }
    if (!own.some(fresh))
      throw broken('CRLs', path, { why: `the one of "${name}" has expired`, hint: REFRESH });
  }
  return crls;
}

const REFRESH = "copy the CA's current CRLs here (Puppet: GET /puppet-ca/v1/certificate_revocation_list/ca)";

/** Node reads encodings that are no DER. */
function readableSubject(authority: X509Certificate, path: string): Uint8Array {
  try {
    return subjectOf(authority);
  } catch (error) {
    throw broken('CA certificates', path, { why: messageOf(error) });
  }
}

function subjectOf(certificate: X509Certificate): Uint8Array {
  const [tbs] = childrenOf(certificate.raw, TAG.sequence);
  const fields = tbs === undefined ? [] : childrenOf(tbs.whole, TAG.sequence);
  return fields[fields[0]?.tag === 0xa0 ? 5 : 4]?.whole ?? new Uint8Array();
}

/** The DER of the name that signed a certificate. */
export function issuerOf(certificate: X509Certificate): Uint8Array {
  const [tbs] = childrenOf(certificate.raw, TAG.sequence);
  const fields = tbs === undefined ? [] : childrenOf(tbs.whole, TAG.sequence);
  return fields[fields[0]?.tag === 0xa0 ? 3 : 2]?.whole ?? new Uint8Array();
}

export function checkNotRevoked(
  leaf: X509Certificate,
  crls: readonly CheckedCrl[],
  paths: IdentityPaths,
): void {
  const issuer = issuerOf(leaf);
  const serial = serialNumber(leaf.serialNumber);
  const own = crls.filter((crl) => Buffer.compare(crl.issuer, issuer) === 0);
  if (own.some(({ revoked }) => revoked.some((one) => serialNumber(one) === serial))) {
    throw broken('certificate', paths.certificate, {
      why: 'it has been revoked',
      hint: RENEW,
    });
  }
}

export function crlWarnings(crls: readonly CheckedCrl[], path: string, now: number): string[] {
  const ends = crls.flatMap(({ nextUpdate }) => nextUpdate ?? []);
  const days = Math.floor((Math.min(...ends) - now) / DAY_MS);
  return days < WARN_CRL_DAYS ? [`a CRL in "${path}" expires in ${days} days`] : [];
}
