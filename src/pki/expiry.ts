/** When our certificate and CRLs expire. */

import { readCrl } from './crl.ts';
import type { Identity } from './identity.ts';

export interface Expiry {
  /** Milliseconds since 1970. */
  certificate: number;
  /** When the first CRL expires; absent if none says. */
  crl?: number;
}

export function expiryOf({ chain, crls }: Pick<Identity, 'chain' | 'crls'>): Expiry {
  const ends = crls.flatMap((pem) => readCrl(pem).nextUpdate ?? []);
  const certificate = Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
  return { certificate, ...(ends.length > 0 && { crl: Math.min(...ends) }) };
}
