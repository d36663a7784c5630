/**
 * What we read from certificates and CRLs ourselves, by walking their DER (X.690, RFC 5280 4.1) and never by searching bytes,
 * and what we write again. The reader is bounded, whoever has verified them before.
 */

export class DerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'DerError';
  }
}

export interface DerElement {
  tag: number;
  /** Without tag and length. */
  content: Uint8Array;
  /** With them. */
  whole: Uint8Array;
}

const MAX_CHILDREN = 1024;

export const TAG = {
  integer: 0x02,
  octetString: 0x04,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  sequence: 0x30,
  set: 0x31,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  /** `[3]`, a certificate's extensions. */
  extensions: 0xa3,
} as const;

/** The element at the start of `bytes`; throws `DerError` for anything but strict DER. */
export function readElement(bytes: Uint8Array): DerElement {
  const [tag, first] = bytes;
  if (tag === undefined || first === undefined) throw new DerError('it ends too early');
  if ((tag & 0x1f) === 0x1f) throw new DerError('a tag of more than one byte');
  let length = first;
  let header = 2;
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > 3) throw new DerError('a length that DER does not have');
    length = 0;
    for (const byte of bytes.subarray(2, 2 + count)) length = length * 256 + byte;
    header += count;
    if (length < 0x80 || bytes[2] === 0) throw new DerError('a length that is not the shortest');
  }
  if (bytes.length < header + length) throw new DerError('it ends too early');
  return {
    tag,
    content: bytes.subarray(header, header + length),
    whole: bytes.subarray(0, header + length),
  };
}

/** The other direction: an element of these contents. */
export function writeElement(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Uint8Array.of(tag), lengthBytes(content.length), content]);
}

/** The shortest (X.690 10.1). */
export function lengthBytes(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = unsigned(length);
  return Buffer.concat([Uint8Array.of(0x80 | bytes.length), bytes]);
}

/** The shortest bytes of a number that is not below zero. */
export function unsigned(value: number | bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
}

/** The elements that `bytes` consists of, to its last byte. */
export function readAll(bytes: Uint8Array): DerElement[] {
  const found: DerElement[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const element = readElement(rest);
    found.push(element);
    if (found.length > MAX_CHILDREN) throw new DerError('too many elements');
    rest = rest.subarray(element.whole.length);
  }
  return found;
}

/** The children of the one element that `bytes` consists of, which must have this tag. */
export function childrenOf(bytes: Uint8Array, tag: number): DerElement[] {
  const element = readElement(bytes);
  if (element.tag !== tag || element.whole.length !== bytes.length)
    throw new DerError('not what was expected');
  return readAll(element.content);
}

function isOid(element: DerElement | undefined, hex: string): boolean {
  return element?.tag === TAG.objectIdentifier && Buffer.from(element.content).toString('hex') === hex;
}

/**
 * A serial number as Node and OpenSSL write it: hex, behind a minus if it is negative, which none should be and some are
 * (RFC 5280 4.1.2.2).
 */
export function serialNumber(hex: string): bigint {
  return hex.startsWith('-') ? -BigInt(`0x${hex.slice(1)}`) : BigInt(`0x${hex}`);
}

/** The content of an integer in the same words (X.690 8.3: two's complement). */
export function serialText(content: Uint8Array): string {
  const hex = Buffer.from(content).toString('hex').toUpperCase();
  if ((content[0] ?? 0) < 0x80) return hex;
  return `-${(-BigInt.asIntN(8 * content.length, BigInt(`0x${hex}`))).toString(16).toUpperCase()}`;
}

/** 2.5.4.3, commonName. */
const COMMON_NAME = '550403';

/** 1.3.6.1.4.1.34380.1.3.39, pp_cli_auth (Puppet: lib/puppet/ssl/oids.rb). */
const PP_CLI_AUTH = '2b06010401828c4c010327';

/** The fields of TBSCertificate from its serial number on: serial, signature, issuer, validity, subject, … */
function fieldsOf(certificate: Uint8Array): DerElement[] {
  const [tbs] = childrenOf(certificate, TAG.sequence);
  if (tbs === undefined) throw new DerError('an empty certificate');
  const fields = childrenOf(tbs.whole, TAG.sequence);
  return fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
}

/**
 * The one common name of a certificate's subject. Throws `DerError` if there is none, more than one, or
 * one with control characters.
 */
export function commonNameOf(certificate: Uint8Array): string {
  const subject = fieldsOf(certificate)[4];
  if (subject?.tag !== TAG.sequence) throw new DerError('a certificate without a subject');
  const names: string[] = [];
  for (const set of readAll(subject.content)) {
    for (const pair of childrenOf(set.whole, TAG.set)) {
      const [type, value] = childrenOf(pair.whole, TAG.sequence);
      if (isOid(type, COMMON_NAME) && value !== undefined) names.push(textOf(value));
    }
  }
  const [name] = names;
  if (name === undefined || names.length !== 1) {
    throw new DerError(`a subject with ${names.length} common names, not one`);
  }
  return name;
}

function textOf({ tag, content }: DerElement): string {
  if (tag !== TAG.utf8String && tag !== TAG.printableString) {
    throw new DerError('a common name of an unusual type');
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(content);
  } catch {
    throw new DerError('a common name that is not UTF-8');
  }
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) throw new DerError('a common name with control characters');
  return text;
}

/**
 * Whether Puppet marks the certificate's owner as an administrator: the extension pp_cli_auth exactly
 * once, its value exactly the UTF8String "true" (DESIGN 5). Throws `DerError` if it is no certificate.
 */
export function isPuppetAdministrator(certificate: Uint8Array): boolean {
  const found = fieldsOf(certificate)
    .filter(({ tag }) => tag === TAG.extensions)
    .flatMap(({ content }) => childrenOf(content, TAG.sequence))
    .map(({ whole }) => childrenOf(whole, TAG.sequence))
    .filter(([oid]) => isOid(oid, PP_CLI_AUTH));
  const value = found[0]?.at(-1);
  return (
    found.length === 1 &&
    value?.tag === TAG.octetString &&
    Buffer.from(value.content).toString('hex') === '0c0474727565'
  );
}
