/** Keys that are the same each time, so that what is found with them is found again. They are worth nothing. */
import { checkPrimeSync, createECDH, createHash, createPrivateKey, type KeyObject } from 'node:crypto';

function bytesOf(seed: string, length: number): Buffer {
  const parts = Array.from({ length: Math.ceil(length / 32) }, (_, at) =>
    createHash('sha256').update(`${seed} ${at}`).digest(),
  );
  return Buffer.concat(parts).subarray(0, length);
}

const numberOf = (bytes: Uint8Array) => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

function textOf(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}

/** RFC 8410. */
export function fixedEd25519(seed: string): KeyObject {
  const key = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), bytesOf(seed, 32)]);
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
}

export function fixedP256(seed: string): KeyObject {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(bytesOf(seed, 32));
  const point = pair.getPublicKey();
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'));
  const d = pair.getPrivateKey().toString('base64url');
  return createPrivateKey({ key: { kty: 'EC', crv: 'P-256', x, y, d } as never, format: 'jwk' });
}

const EXPONENT = 65_537n;

/** 2048 bits. */
export function fixedRsa(seed: string): KeyObject {
  const [p, q] = [primeFrom(`${seed} p`), primeFrom(`${seed} q`)];
  const d = inverse(EXPONENT, (p - 1n) * (q - 1n));
  const parts = { n: p * q, e: EXPONENT, d, p, q, dp: d % (p - 1n), dq: d % (q - 1n), qi: inverse(q, p) };
  const jwk = Object.fromEntries(Object.entries(parts).map(([name, value]) => [name, textOf(value)]));
  return createPrivateKey({ key: { kty: 'RSA', ...jwk } as never, format: 'jwk' });
}

/** With both of its first bits, so that the product of two is as long as it should be. */
function primeFrom(seed: string): bigint {
  const bytes = bytesOf(seed, 128);
  bytes[0] = (bytes[0] ?? 0) | 0xc0;
  let candidate = numberOf(bytes) | 1n;
  while (candidate % EXPONENT === 1n || !checkPrimeSync(candidate)) candidate += 2n;
  return candidate;
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (a > 1n) {
    const times = a / b;
    [a, b, x, y] = [b, a % b, y, x - times * y];
  }
  return ((x % modulus) + modulus) % modulus;
}
