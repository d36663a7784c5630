/** The CAs that an identity trusts, in words and numbers. */
import { clip } from '../util/text.ts';
import type { Identity } from './identity.ts';
import { nameFor } from './identity-files.ts';

const MAX_NAME = 300;

export interface TrustedCa {
  /** Its subject, for people. */
  name: string;
  /** SHA-256 of the certificate, hex. */
  sha256: string;
  /** Milliseconds since 1970. */
  ends: number;
}

export function authoritiesIn({ ca }: Pick<Identity, 'ca'>): TrustedCa[] {
  return ca.map((one) => ({
    name: clip(nameFor(one).replace(/^CN=/, ''), MAX_NAME),
    sha256: one.fingerprint256.replaceAll(':', '').toLowerCase(),
    ends: Date.parse(one.validTo),
  }));
}
