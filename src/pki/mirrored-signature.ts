/** A certificate's other spelling: where an ECDSA signature (r, s) verifies, (r, n − s) does, and whoever has the one can write the other. */
import type { KeyObject } from 'node:crypto';
import { childrenOf, DerError, TAG, unsigned, writeElement } from './der.ts';

const BIT_STRING = 0x03;

/** n, the order of a curve, by OpenSSL's names: P-256, P-384 and P-521. */
const ORDERS: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1:
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  secp521r1:
    0x1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
};

/** Whether `mirrored` finds what this key signs: there are curves whose order is not known here. */
export function isMirrored({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  return asymmetricKeyType !== 'ec' || Object.hasOwn(ORDERS, asymmetricKeyDetails?.namedCurve ?? '');
}

/**
 * The certificate with n − s in the place of s, for each n that it may be (whose key has signed a certificate does not stand
 * in it); none if no ECDSA key has signed it.
 */
export function mirrored(certificate: Uint8Array): Buffer[] {
  try {
    const [tbs, algorithm, signature] = childrenOf(certificate, TAG.sequence);
    if (tbs === undefined || algorithm === undefined || signature?.tag !== BIT_STRING) return [];
    // Of other algorithms it is no sequence. The first byte counts the bits that are not used.
    const [r, s] = childrenOf(signature.content.subarray(1), TAG.sequence);
    if (r === undefined || s?.tag !== TAG.integer || s.content.length === 0) return [];
    const value = BigInt(`0x${Buffer.from(s.content).toString('hex')}`);
    const orders = Object.values(ORDERS).filter((n) => n > value);
    return orders.map((n) => {
      const pair = writeElement(TAG.sequence, r.whole, writeElement(TAG.integer, integer(n - value)));
      return writeElement(
        TAG.sequence,
        tbs.whole,
        algorithm.whole,
        writeElement(BIT_STRING, Uint8Array.of(0), pair),
      );
    });
  } catch (error) {
    if (error instanceof DerError) return [];
    throw error;
  }
}

/** The shortest content of a positive integer (X.690 8.3). */
function integer(value: bigint): Buffer {
  const bytes = unsigned(value);
  return (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Uint8Array.of(0), bytes]);
}
