/** What our own CA signs for others: their certificates. */
import type { KeyObject } from 'node:crypto';
import { KickError } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { type Entry, generationOf, hasCurrent, type Index, isValid, type Role } from './authority-index.ts';
import { caKey, type Place } from './authority-place.ts';
import { newSerial } from './new-key.ts';

export const DAY_MS = 86_400_000;

/** Backdated, so that a clock that is slightly behind accepts it (docs/puppet.md, "Signatures and TLS"). */
export const BACKDATE_MS = DAY_MS;

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
  const generation = generationOf(index);
  const now = clock.now();
  const notAfter = now + lifeMs;
  const pem = makeCertificate({
    subject: [name],
    key,
    serial,
    role,
    notBefore: now - BACKDATE_MS,
    notAfter,
    issuer: { subject: index.subject, key: caKey(paths, generation) },
    alternativeNames: [name],
    ppCliAuth: role === 'controller',
  });
  const entry = { name, role, serial: serial.toUpperCase(), notAfter };
  return { pem, entry: generation === 1 ? entry : { ...entry, generation } };
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

/** Throws `KickError` `pki` if the name has a valid certificate of the CA that signs. */
export function checkHasNone(name: string, index: Index, { now, hint }: { now: number; hint: string }): void {
  if (!hasCurrent(index, name, now)) return;
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
