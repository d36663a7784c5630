/** DESIGN 5: the kind of JWS that a request is, and how it may be signed. */
import type { KeyObject } from 'node:crypto';

export const TYPE = 'kick-request+jws';
export const ALGORITHMS = ['PS256', 'ES256', 'EdDSA'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** The one algorithm that a key signs with; undefined for a key that we do not use. */
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
