/** DESIGN 5: the type of a request's JWS, and its signature algorithms. */
import type { KeyObject } from 'node:crypto';

export const TYPE = 'kick-request+jws';
export const ALGORITHMS = ['PS256', 'ES256', 'EdDSA'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** The one algorithm for a key; undefined for unsupported keys. */
export function algorithmFor(key: KeyObject): Algorithm | undefined {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048 ? 'PS256' : undefined;
    case 'ec':
      return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined;
    case 'ed25519':
      return 'EdDSA';
    default:
      return undefined;
  }
}
