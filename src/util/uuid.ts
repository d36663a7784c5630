import { randomFillSync } from 'node:crypto';

/** A pool of random bytes: asking the system for each UUID costs as much as a signature. */
const pool = Buffer.alloc(16 * 64);
let used = pool.length;

/** A UUIDv7 (RFC 9562 5.7): `now` is milliseconds since 1970. */
export function uuidv7(now: number): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, used + 16);
  used += 16;
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** A job or run id for people: the last 8 digits (the first ones are the time and look alike). */
export function shortId(uuid: string): string {
  return uuid.slice(-8);
}
