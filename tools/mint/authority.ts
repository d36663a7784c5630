/** A certificate authority's key and certificate, and what it signs. */
import { createPrivateKey, type KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import {
  type CertificateRole,
  makeCertificate,
  makeCrl,
  type Purpose,
} from '../../src/pki/make-certificate.ts';
import { generateKey, pemOf } from './keys.ts';

export const DAY_MS = 86_400_000;

export interface Authority {
  subject: readonly string[];
  key: KeyObject;
  /** PEM. */
  certificate: string;
  revoked: { serial: string; at: number }[];
}

/** PEM. */
export interface KeyAndCertificate {
  key: string;
  certificate: string;
}

/** A new authority; without an issuer it signs itself. */
export function newAuthority(name: string, issuer?: Authority): Authority {
  const subject = [name];
  const key = generateKey('p256');
  const certificate = certify({ subject, key, issuer: issuer ?? { subject, key }, role: 'ca' });
  return { subject, key, certificate, revoked: [] };
}

export function authorityFrom(name: string, { key, certificate }: KeyAndCertificate): Authority {
  return { subject: [name], key: createPrivateKey(key), certificate, revoked: [] };
}

export interface Certified {
  /** Common names. */
  subject: readonly string[];
  key: KeyObject;
  issuer: Pick<Authority, 'subject' | 'key'>;
  role: CertificateRole;
  purposes?: readonly Purpose[] | undefined;
  alternativeNames?: readonly string[];
  ppCliAuth?: boolean;
  /** Milliseconds since 1970; defaults to yesterday. */
  notBefore?: number | undefined;
  /** Defaults to ten years from now. */
  notAfter?: number | undefined;
}

/** A certificate in PEM. */
export function certify({ purposes, ...wanted }: Certified): string {
  const now = Date.now();
  return makeCertificate({
    ...wanted,
    serial: `01${randomBytes(8).toString('hex')}`,
    alternativeNames: wanted.alternativeNames ?? [],
    ppCliAuth: wanted.ppCliAuth ?? false,
    notBefore: wanted.notBefore ?? now - DAY_MS,
    notAfter: wanted.notAfter ?? now + 3650 * DAY_MS,
    ...(purposes !== undefined && { purposes }),
  });
}

/** A CRL in PEM that ends in so many days; negative: it has ended. */
export function crlOf({ subject, key, revoked }: Authority, days: number): string {
  const now = Date.now();
  return makeCrl({
    issuer: { subject, key },
    number: revoked.length + 1,
    thisUpdate: now - 2 * DAY_MS,
    nextUpdate: now + days * DAY_MS,
    revoked,
  });
}

export const serialOf = (certificate: string): string => new X509Certificate(certificate).serialNumber;

export const authorityPem = ({ key, certificate }: Authority): KeyAndCertificate => ({
  key: pemOf(key),
  certificate,
});
