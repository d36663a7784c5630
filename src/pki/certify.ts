/** What our own CA signs: certificates and CRLs. */
import type { KeyObject } from 'node:crypto';
import { KickError } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { writeFileAtomic } from '../util/atomic-file.ts';
import { type Entry, type Index, isValid, type Role } from './authority-index.ts';
import { caKey, type Place } from './authority-place.ts';
import { numberOf } from './crl.ts';
import { readPem } from './identity-files.ts';
import { newSerial } from './new-key.ts';

export const DAY_MS = 86_400_000;

/** Backdated, so that a clock that is slightly behind accepts it (docs/puppet.md, "Signatures and TLS"). */
export const BACKDATE_MS = DAY_MS;

/** Days; CRLs may be distributed by hand, so they last long. */
const CRL_DAYS = 3650;

export interface Certified {
  /** The certificate, PEM. */
  pem: string;
  /** For the index. */
  entry: Entry;
}

export interface CertifyRequest {
  name: string;
  role: Role;
  /** The holder's, public or private. */
  key: KeyObject;
  /** Milliseconds from now on. */
  lifeMs: number;
}

/** Signs a certificate; nothing is written. */
export async function certify(
  { name, role, key, lifeMs }: CertifyRequest,
  index: Index,
  { paths, clock }: Place,
): Promise<Certified> {
  const { makeCertificate } = await import('./make-certificate.ts');
  const serial = newSerial();
  const now = clock.now();
  const notAfter = now + lifeMs;
  const pem = makeCertificate({
    subject: [name],
    key,
    serial,
    role,
    notBefore: now - BACKDATE_MS,
    notAfter,
    issuer: { subject: index.subject, key: caKey(paths) },
    alternativeNames: [name],
    ppCliAuth: role === 'controller',
  });
  return { pem, entry: { name, role, serial: serial.toUpperCase(), notAfter } };
}

/** Throws `KickError` `pki` for what cannot be the name of a certificate of ours. */
export function checkName(name: string): void {
  if (!isCertname(name)) {
    const isUpper = isCertname(name.toLowerCase());
    throw new KickError('pki', `issue a certificate: "${name}" is not a certname`, {
      ...(isUpper && { hint: `certnames are in lower case: ${name.toLowerCase()}` }),
    });
  }
  // certs/ca.pem is the CA's.
  if (name === 'ca') throw new KickError('pki', 'issue a certificate: "ca" is the name of the CA itself');
}

/** Throws `KickError` `pki` if the name has a valid certificate. */
export function checkHasNone(name: string, index: Index, { now, hint }: { now: number; hint: string }): void {
  if (!index.certificates.some((entry) => isValid(entry, name, now))) return;
  throw new KickError('pki', `issue a certificate: "${name}" has one`, { hint });
}

/** The same index, without any valid certificate of a name. */
export function withoutValid(name: string, index: Index, now: number): Index {
  return {
    ...index,
    crlNumber: index.crlNumber + 1,
    certificates: index.certificates.map((entry) =>
      isValid(entry, name, now) ? { ...entry, revokedAt: now } : entry,
    ),
  };
}

export async function writeCrl(index: Index, { paths, clock }: Place): Promise<void> {
  const { makeCrl } = await import('./make-certificate.ts');
  const now = clock.now();
  const crl = makeCrl({
    issuer: { subject: index.subject, key: caKey(paths) },
    number: index.crlNumber,
    thisUpdate: now - BACKDATE_MS,
    nextUpdate: now + CRL_DAYS * DAY_MS,
    revoked: index.certificates.flatMap(({ serial, revokedAt }) =>
      revokedAt === undefined ? [] : [{ serial, at: revokedAt }],
    ),
  });
  await writeFileAtomic(paths.crl, crl, { mode: 0o644 });
}

/** Writes the CRL again if a kill came between the index and it. */
export async function settleCrl(index: Index, place: Place): Promise<void> {
  if (numberOf(readPem(place.paths.crl, 'CRL')) !== BigInt(index.crlNumber)) await writeCrl(index, place);
}
