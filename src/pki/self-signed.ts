/** The certificate of one of our own CAs. */
import type { KeyObject } from 'node:crypto';
import { BACKDATE_MS, DAY_MS } from './certify.ts';
import { newSerial } from './new-key.ts';

const CA_DAYS = 3650;

/** PEM. `now` is milliseconds since 1970. */
export async function selfSigned(subject: string[], key: KeyObject, now: number): Promise<string> {
  const { makeCertificate } = await import('./make-certificate.ts');
  return makeCertificate({
    subject,
    key,
    issuer: { subject, key },
    serial: newSerial(),
    role: 'ca',
    notBefore: now - BACKDATE_MS,
    notAfter: now + CA_DAYS * DAY_MS,
    alternativeNames: [],
    ppCliAuth: false,
  });
}
