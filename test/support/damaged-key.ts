/** A key of which one bit has become another. */
import { createPrivateKey } from 'node:crypto';
import { expect } from 'vitest';
import { pemOf } from '../../src/pki/new-key.ts';

/** Of PKCS #8 for P-256: a byte of the private half. */
const PRIVATE_AT = 40;

/** `pem`: a key for P-256. Its public half stays. */
export function damagedKey(pem: string | Buffer): string | Buffer {
  const key = createPrivateKey(pem);
  const der = key.export({ type: 'pkcs8', format: 'der' });
  der[PRIVATE_AT] = (der[PRIVATE_AT] ?? 0) ^ 1;
  const other = createPrivateKey({ key: der, type: 'pkcs8', format: 'der' });
  expect(other.equals(key)).toBe(true);
  return pemOf(other);
}
