/** Random secrets that are handed out once: sessions and tokens. Only their hash is kept. */
import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** 256 bits and a little more, of letters and digits. */
export function newSecret(): string {
  let text = '';
  while (text.length < 43) {
    // The highest multiple of 62 below 256: every letter is as likely as any other.
    for (const byte of randomBytes(64)) if (byte < 248) text += ALPHABET[byte % 62] ?? '';
  }
  return text.slice(0, 43);
}

export function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}
