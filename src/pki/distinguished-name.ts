/**
 * Whether two names are the same to OpenSSL (X509_NAME_cmp, RFC 5280 7.1): the type of string, case
 * and runs of blanks do not count. Puppet's CA certificate and its CRLs may be written by different
 * programs, each with its own type of string.
 */
import { childrenOf, type DerElement, TAG } from './der.ts';

/** `latin1` also serves the ASCII types: what they cannot hold differs all the same. */
const ENCODINGS: ReadonlyMap<number, string> = new Map([
  [TAG.utf8String, 'utf-8'],
  [TAG.printableString, 'latin1'],
  [0x14, 'latin1'], // T61String
  [0x16, 'latin1'], // IA5String
  [0x1a, 'latin1'], // VisibleString
  [0x1e, 'utf-16be'], // BMPString
]);

/** Both are DER. Throws `DerError` for what is no name. */
export function isSameName(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0 || canonical(a) === canonical(b);
}

function canonical(name: Uint8Array): string {
  return JSON.stringify(
    childrenOf(name, TAG.sequence).map(({ whole }) => childrenOf(whole, TAG.set).map(canonicalPair).sort()),
  );
}

function canonicalPair({ whole }: DerElement): string {
  const [type, value] = childrenOf(whole, TAG.sequence);
  const hex = ({ content }: DerElement) => Buffer.from(content).toString('hex');
  if (type === undefined || value === undefined) return '';
  const encoding = ENCODINGS.get(value.tag);
  const text =
    encoding === undefined
      ? `${value.tag}:${hex(value)}`
      : new TextDecoder(encoding, { ignoreBOM: true })
          .decode(value.content)
          .replace(/[ \t\n\v\f\r]+/g, ' ')
          .replace(/^ | $/g, '')
          .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return `${hex(type)}=${text}`;
}
