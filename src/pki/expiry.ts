/** When our certificate, its CA and our CRLs expire. */
import { readCrl } from './crl.ts';
import type { Identity } from './identity.ts';

export interface Expiry {
  /** Milliseconds since 1970. */
  certificate: number;
  /** When the first CRL expires; absent if none says. */
  crl?: number;
  /** When the CA of our certificate does; absent if we do not have it. */
  ca?: number;
}

export function expiryOf({ chain, ca, crls }: Pick<Identity, 'chain' | 'ca' | 'crls'>): Expiry {
  const ends = crls.flatMap((pem) => readCrl(pem).nextUpdate ?? []);
  const certificate = Math.min(...chain.map(({ validTo }) => Date.parse(validTo)));
  const top = chain.at(-1);
  // One that was renewed with its key is there twice.
  const roots = ca.filter((one) => top?.checkIssued(one) === true && top.verify(one.publicKey));
  return {
    certificate,
    ...(ends.length > 0 && { crl: Math.min(...ends) }),
    ...(roots.length > 0 && { ca: Math.max(...roots.map(({ validTo }) => Date.parse(validTo))) }),
  };
}
