/** DESIGN 5: the types of what is signed, and its signature algorithms. */
import type { KeyObject } from 'node:crypto';

/** What a JWS is signed as: one of a kind is never taken for one of another. */
export const TYPES = {
  request: 'kick-request+jws',
  /** DESIGN 12, discovery. */
  question: 'kick-question+jws',
  answer: 'kick-answer+jws',
} as const;
export type Type = (typeof TYPES)[keyof typeof TYPES];

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
