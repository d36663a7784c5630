/** What we must know of a CRL before it is handed to OpenSSL: whose it is, and how long it holds (RFC 5280 5.1). */
import { type KeyObject, verify } from 'node:crypto';
import { childrenOf, DerError, isOid, readElement, TAG } from './der.ts';

export interface CrlInfo {
  /** The issuer's name, DER. */
  issuer: Uint8Array;
  /** Milliseconds since 1970. */
  thisUpdate: number;
  /** Milliseconds since 1970; absent: it says nothing of a next one. */
  nextUpdate?: number;
  /** Serial numbers, upper case hex as node:crypto writes a certificate's, without leading zero bytes. */
  revoked: ReadonlySet<string>;
}

const ONE = /-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;

/** The CRLs of a PEM bundle, one PEM each: Node reads only the first of a bundle (facts/puppet.md). */
export function splitCrls(pem: string): string[] {
  return [...pem.matchAll(ONE)].map(([whole]) => `${whole}\n`);
}

function derOf(pem: string): Uint8Array {
  const [, base64 = ''] = new RegExp(ONE.source).exec(pem) ?? [];
  return Buffer.from(base64, 'base64');
}

/** Reads one CRL; throws `DerError` when it is none. */
export function readCrl(pem: string): CrlInfo {
  const [tbs] = childrenOf(derOf(pem), TAG.sequence);
  if (tbs === undefined) throw new DerError('an empty CRL');
  const fields = childrenOf(tbs.whole, TAG.sequence);
  if (fields[0]?.tag === TAG.integer) fields.shift(); // version
  const [, issuer, thisUpdate, ...rest] = fields;
  if (issuer?.tag !== TAG.sequence || thisUpdate === undefined) throw new DerError('a CRL without an issuer');
  const next = rest[0] !== undefined && isTime(rest[0].tag) ? rest.shift() : undefined;
  const list = rest[0]?.tag === TAG.sequence ? rest[0].content : new Uint8Array();
  return {
    issuer: issuer.whole,
    thisUpdate: timeOf(thisUpdate.tag, thisUpdate.content),
    revoked: serialsOf(list),
    ...(next !== undefined && { nextUpdate: timeOf(next.tag, next.content) }),
  };
}

/** As in `CrlInfo.revoked`. */
export function normalSerial(hex: string): string {
  return hex.toUpperCase().replace(/^(00)+(?=..)/, '');
}

/** A list may be long: entry by entry, without a bound on their number. */
function serialsOf(list: Uint8Array): Set<string> {
  const serials = new Set<string>();
  for (let rest = list; rest.length > 0; ) {
    const entry = readElement(rest);
    serials.add(normalSerial(Buffer.from(readElement(entry.content).content).toString('hex')));
    rest = rest.subarray(entry.whole.length);
  }
  return serials;
}

/** The signatures that CAs use (RFC 4055 5, RFC 5758 3.2, RFC 8410 3), by their OIDs' bytes. */
const DIGESTS: ReadonlyMap<string, string | null> = new Map([
  ['2a864886f70d010105', 'sha1'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  ['2b6570', null],
]);

/**
 * Whether a CRL bears the signature of this key: one of a CA that was made anew under the same name
 * does not, and OpenSSL would reject everybody. Undefined for an algorithm that is not known here.
 */
export function isSignedBy(pem: string, key: KeyObject): boolean | undefined {
  const [tbs, algorithm, signature] = childrenOf(derOf(pem), TAG.sequence);
  if (tbs === undefined || algorithm === undefined || signature === undefined) {
    throw new DerError('a CRL without a signature');
  }
  const [id] = childrenOf(algorithm.whole, TAG.sequence);
  const found = [...DIGESTS].find(([hex]) => isOid(id, hex));
  if (found === undefined) return undefined;
  try {
    // The first byte of a BIT STRING counts its unused bits: none.
    return verify(found[1], tbs.whole, key, signature.content.subarray(1));
  } catch {
    return false; // a key of another kind
  }
}

const isTime = (tag: number) => tag === TAG.utcTime || tag === TAG.generalizedTime;

function timeOf(tag: number, content: Uint8Array): number {
  const text = Buffer.from(content).toString('latin1');
  const match = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null || !isTime(tag)) throw new DerError('a time that is none');
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  // RFC 5280 4.1.2.5.1: two digits mean 1950 to 2049.
  const full = tag === TAG.utcTime ? year + (year < 50 ? 2000 : 1900) : year;
  return Date.UTC(full, month - 1, day, hour, minute, second);
}
