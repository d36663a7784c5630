/**
 * Passwords, stored as scrypt hashes in the PHC string format. One is checked at a time: each check costs a third of a
 * second of a processor and 64 MiB, which a flood of sign-ins must not multiply.
 */
import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { createPlaces } from '../../../util/semaphore.ts';

const [LOG_N, R, P] = [16, 8, 1];
const KEY_BYTES = 32;
const MAX_MEMORY = 128 << 20;

const PHC =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,2}),p=(\d{1,2})\$([A-Za-z0-9+/]{16,64})\$([A-Za-z0-9+/]{32,128})$/;

/** Shortest password that is accepted. */
export const MIN_PASSWORD = 10;

const places = createPlaces(1);
const NEVER = new AbortController().signal;

function derive(password: string, salt: Buffer, bytes: number, cost: { N: number; r: number; p: number }) {
  return new Promise<Buffer>((resolve, reject) => {
    scrypt(password.normalize('NFKC'), salt, bytes, { ...cost, maxmem: MAX_MEMORY }, (error, key) =>
      error === null ? resolve(key) : reject(error),
    );
  });
}

const unpadded = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');

export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(16);
  const key = await derive(password, salt, KEY_BYTES, { N: 2 ** LOG_N, r: R, p: P });
  return `$scrypt$ln=${LOG_N},r=${R},p=${P}$${unpadded(salt)}$${unpadded(key)}`;
}

/** Of nobody: checking against it takes as long as against a real one. */
let nobodys: Promise<string> | undefined;

/** `stored` is undefined for a name that has no account. */
export async function isPassword(password: string, stored: string | undefined): Promise<boolean> {
  await places.take(NEVER);
  try {
    nobodys ??= hashPassword(randomBytes(16).toString('hex'));
    const [, logN, r, p, salt = '', key = ''] = PHC.exec(stored ?? (await nobodys)) ?? [];
    if (logN === undefined || Number(logN) > 20) return false;
    const expected = Buffer.from(key, 'base64');
    const cost = { N: 2 ** Number(logN), r: Number(r), p: Number(p) };
    const actual = await derive(password, Buffer.from(salt, 'base64'), expected.length, cost);
    return timingSafeEqual(actual, expected) && stored !== undefined;
  } finally {
    places.giveBack();
  }
}
