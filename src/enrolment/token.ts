/** What is handed to a node once: `kick1.ID.SECRET.FINGERPRINT`, which can stand in a URL. */
import { KickError } from '../errors.ts';

export interface Token {
  id: string;
  secret: string;
  /** SHA-256 of the CA's certificate (DER), hex. */
  fingerprint: string;
}

/** 16, 32 and 32 bytes in base64url. */
const TOKEN = /^kick1\.([\w-]{22})\.([\w-]{43})\.([\w-]{43})$/;

export function formatToken({ id, secret, fingerprint }: Token): string {
  return `kick1.${id}.${secret}.${Buffer.from(fingerprint, 'hex').toString('base64url')}`;
}

/** Throws `KickError` `input`, which shows nothing of it. */
export function parseToken(text: string): Token {
  const [, id, secret, pin] = TOKEN.exec(text.trim()) ?? [];
  if (id === undefined || secret === undefined || pin === undefined) {
    throw new KickError('input', 'read the token: it is not one', {
      hint: 'it is the line that begins with kick1., as kick pki token has printed it',
    });
  }
  return { id, secret, fingerprint: Buffer.from(pin, 'base64url').toString('hex') };
}
