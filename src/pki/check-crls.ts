/** The CRLs as OpenSSL will want them: one that holds for every CA. What is missing it says by rejecting everybody. */
import type { X509Certificate } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { type CrlInfo, isSignedBy, normalSerial, readCrl, splitCrls } from './crl.ts';
import { DerError, issuerOf, subjectOf } from './der.ts';
import { isSameName } from './distinguished-name.ts';
import type { IdentityPaths } from './identity.ts';
import { unusable } from './identity-error.ts';

export interface CheckedCrls {
  /** PEM, one CRL a string. */
  pems: string[];
  /** The first end among those that count, milliseconds since 1970; absent: none has an end. */
  firstEnd?: number;
  isRevoked(certificate: X509Certificate): boolean;
}

interface Crl extends CrlInfo {
  pem: string;
}

const REFRESH = "copy the CA's current CRLs here (Puppet: GET /puppet-ca/v1/certificate_revocation_list/ca)";

/** Throws `KickError` `identity`. */
export function checkCrls(
  pem: string,
  ca: readonly X509Certificate[],
  { paths, now }: { paths: IdentityPaths; now: number },
): CheckedCrls {
  const file = { what: 'CRLs', path: paths.crl };
  try {
    return check(pem, ca, { paths, now });
  } catch (error) {
    throw error instanceof DerError ? unusable(file, messageOf(error), { cause: error }) : error;
  }
}

function check(
  pem: string,
  ca: readonly X509Certificate[],
  { paths, now }: { paths: IdentityPaths; now: number },
): CheckedCrls {
  const crls = splitCrls(pem).map((one): Crl => ({ pem: one, ...readCrl(one) }));
  if (crls.length === 0) throw unusable({ what: 'CRLs', path: paths.crl }, 'there is no CRL in it');
  const ends = ca.flatMap((authority) => endOf(authority, crls, { paths, now }) ?? []);
  return {
    pems: crls.map(({ pem: one }) => one),
    ...(ends.length > 0 && { firstEnd: Math.min(...ends) }),
    isRevoked(certificate) {
      const [issuer, serial] = [issuerOf(certificate.raw), normalSerial(certificate.serialNumber)];
      return crls.some((crl) => isSameName(crl.issuer, issuer) && crl.revoked.has(serial));
    },
  };
}

/** Until when this CA's CRL holds: the latest end among those that hold now. */
function endOf(
  authority: X509Certificate,
  crls: readonly Crl[],
  { paths, now }: { paths: IdentityPaths; now: number },
): number | undefined {
  const refuse = (why: string, hint = REFRESH) => unusable({ what: 'CRLs', path: paths.crl }, why, { hint });
  const name = authority.subject.replaceAll('\n', ', ');
  const named = crls.filter(({ issuer }) => isSameName(issuer, subjectOf(authority.raw)));
  if (named.length === 0) throw refuse(`there is none of "${name}", which is in "${paths.ca}"`);
  const own = named.filter(({ pem }) => isSignedBy(pem, authority.publicKey) !== false);
  if (own.length === 0) {
    throw refuse(`the one of "${name}" is signed by another key than the one in "${paths.ca}"`);
  }
  const begun = own.filter(({ thisUpdate }) => thisUpdate <= now);
  if (begun.length === 0) {
    throw refuse(`the one of "${name}" holds only from a later time on`, "look at this host's clock");
  }
  const ends = begun.map(({ nextUpdate = Number.POSITIVE_INFINITY }) => nextUpdate);
  const end = Math.max(...ends);
  if (end <= now) {
    throw refuse(`the one of "${name}" has expired, so that every connection would be rejected`);
  }
  return Number.isFinite(end) ? end : undefined;
}
