/** Keys and serial numbers for certificates of our own CA. */
import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';

export type KeyType = 'p256' | 'rsa';

const RSA_BITS = 3072;

export function newKey(type: KeyType): KeyObject {
  return type === 'p256'
    ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey
    : generateKeyPairSync('rsa', { modulusLength: RSA_BITS }).privateKey;
}

/** RFC 5280 4.1.2.2: positive, at most 20 bytes; 16 random ones cannot be predicted. */
export function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString('hex');
}

export const pemOf = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' });
