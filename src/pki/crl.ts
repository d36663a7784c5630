/** What we must know of a CRL before OpenSSL gets it: its issuer, and how long it is valid (RFC 5280 5.1). */
import { childrenOf, DerError, readElement, serialText, TAG } from './der.ts';

export interface CrlInfo {
  /** The issuer's name, DER. */
  issuer: Uint8Array;
  /** Milliseconds since 1970. */
  thisUpdate: number;
  /** Absent if it names none. */
  nextUpdate?: number;
  /** Serial numbers: `serialNumber` reads them. */
  revoked: string[];
}

/** `[0]`, the extensions of a list. */
const EXTENSIONS = 0xa0;

const ONE = /-----BEGIN X509 CRL-----\s([A-Za-z0-9+/=\s]+)-----END X509 CRL-----/g;

/** Splits a PEM bundle into CRLs: Node reads only the first of a bundle (docs/puppet.md, "Certificates"). */
export function splitCrls(pem: string): string[] {
  return [...pem.matchAll(ONE)].map(([whole]) => `${whole}\n`);
}

/** Reads one CRL; throws `DerError` if it is none. */
export function readCrl(pem: string): CrlInfo {
  const [, base64 = ''] = new RegExp(ONE.source).exec(pem) ?? [];
  const [tbs] = childrenOf(Buffer.from(base64, 'base64'), TAG.sequence);
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

/** 2.5.29.20, cRLNumber (5.2.3), as an object identifier's content in hex. */
const CRL_NUMBER = '551d14';

/** The number of a CRL, which grows; undefined if it has none. Throws `DerError`. */
export function numberOf(pem: string): bigint | undefined {
  const [, base64 = ''] = new RegExp(ONE.source).exec(pem) ?? [];
  const [tbs] = childrenOf(Buffer.from(base64, 'base64'), TAG.sequence);
  const last = tbs === undefined ? undefined : childrenOf(tbs.whole, TAG.sequence).at(-1);
  if (last?.tag !== EXTENSIONS) return undefined;
  for (const { whole } of childrenOf(last.content, TAG.sequence)) {
    const parts = childrenOf(whole, TAG.sequence);
    if (Buffer.from(parts[0]?.content ?? []).toString('hex') !== CRL_NUMBER) continue;
    const number = readElement(parts.at(-1)?.content ?? new Uint8Array());
    if (number.tag !== TAG.integer || number.content.length === 0)
      throw new DerError('a CRL number that is none');
    return BigInt(`0x${Buffer.from(number.content).toString('hex')}`);
  }
  return undefined;
}

/** Lists may be long, so entries are read one by one and their number is not limited. */
function serialsOf(list: Uint8Array): string[] {
  const serials: string[] = [];
  for (let rest = list; rest.length > 0; ) {
    const entry = readElement(rest);
    const serial = readElement(entry.content);
    if (serial.tag !== TAG.integer || serial.content.length === 0)
      throw new DerError('a serial number that is none');
    serials.push(serialText(serial.content));
    rest = rest.subarray(entry.whole.length);
  }
  return serials;
}

const isTime = (tag: number) => tag === TAG.utcTime || tag === TAG.generalizedTime;

function timeOf(tag: number, content: Uint8Array): number {
  const text = Buffer.from(content).toString('latin1');
  const match = /^(\d{2}|\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (match === null) throw new DerError('a time that is none');
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  // RFC 5280 4.1.2.5.1: two digits mean 1950 to 2049.
  const full = tag === TAG.utcTime ? year + (year < 50 ? 2000 : 1900) : year;
  return Date.UTC(full, month - 1, day, hour, minute, second);
}
