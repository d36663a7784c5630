/** Fields of a certificate that Node does not give us, by walking its DER (RFC 5280 4.1, 4.2). */
import type { X509Certificate } from 'node:crypto';
import { childrenOf, type DerElement, readElement, TAG } from './der.ts';

const BOOLEAN = 0x01;
const BIT_STRING = 0x03;

export interface Extensions {
  /** Object identifiers, hex, of extensions that are none of these and that restrict what is believed: all critical ones. */
  unknown: string[];
  keyUsage?: { digitalSignature: boolean; keyCertSign: boolean; crlSign: boolean };
  purposes?: string[];
  /** Of the basic constraints. */
  pathLength?: number;
}

/** 2.5.29.x, and the two purposes that we need. */
const OIDS = {
  keyUsage: '551d0f',
  basicConstraints: '551d13',
  purposes: '551d25',
  /** Of the subject: names are read from its common name. */
  alternativeNames: '551d11',
  /** Of a CA, for the names of what it issues. */
  nameConstraints: '551d1e',
} as const;
const PURPOSES: Readonly<Record<string, string>> = {
  '2b06010505070301': 'serverAuth',
  '2b06010505070302': 'clientAuth',
};

/** The hashes of algorithms by which a certificate or a CRL may be signed: OpenSSL's level 2, but for PSS. */
const HASHES: Readonly<Record<string, string | null>> = {
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '2b6570': null, // Ed25519 has its own
};

/** Of an AlgorithmIdentifier; undefined for one that is not accepted, null if the key's type says it. */
export function hashOf(algorithm: Uint8Array): string | null | undefined {
  const [oid] = childrenOf(algorithm, TAG.sequence);
  return HASHES[oid === undefined ? '' : hex(oid.content)];
}

export function isSignedSafely({ raw }: X509Certificate): boolean {
  const [, algorithm] = childrenOf(raw, TAG.sequence);
  return algorithm !== undefined && hashOf(algorithm.whole) !== undefined;
}

/** Curves of OpenSSL's level 2 that a CA has. */
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];
const LEAST_RSA_BITS = 2048;

export function hasSafeKey({ publicKey }: X509Certificate): boolean {
  const { modulusLength = 0, namedCurve = '' } = publicKey.asymmetricKeyDetails ?? {};
  switch (publicKey.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      return modulusLength >= LEAST_RSA_BITS;
    case 'ec':
      return CURVES.includes(namedCurve);
    case 'ed25519':
      return true;
    default:
      return false;
  }
}

/** The name of its subject, or of its issuer, DER. */
export function subjectOf({ raw }: X509Certificate, which: 'subject' | 'issuer' = 'subject'): Uint8Array {
  return fieldsOf(raw)[which === 'subject' ? 4 : 2]?.whole ?? new Uint8Array();
}

/** From the serial number on: serial, signature, issuer, validity, subject, … */
function fieldsOf(certificate: Uint8Array): DerElement[] {
  const [tbs] = childrenOf(certificate, TAG.sequence);
  const fields = tbs === undefined ? [] : childrenOf(tbs.whole, TAG.sequence);
  return fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
}

/** Whether an extension, a sequence of its type, perhaps a boolean, and its value, is critical. */
export function isCritical(extension: Uint8Array): boolean {
  return childrenOf(extension, TAG.sequence)[1]?.tag === BOOLEAN;
}

/** Throws `DerError`. */
export function extensionsOf(certificate: Uint8Array): Extensions {
  const found: Extensions = { unknown: [] };
  const list = fieldsOf(certificate).filter(({ tag }) => tag === TAG.extensions);
  for (const { content } of list) {
    for (const { whole } of childrenOf(content, TAG.sequence)) addExtension(found, whole);
  }
  return found;
}

function addExtension(found: Extensions, extension: Uint8Array): void {
  const parts = childrenOf(extension, TAG.sequence);
  const oid = hex(parts[0]?.content ?? new Uint8Array());
  const value = parts.at(-1)?.content ?? new Uint8Array();
  switch (oid) {
    case OIDS.keyUsage: {
      const { tag, content } = readElement(value);
      // The first bit is digitalSignature, the sixth keyCertSign, the seventh cRLSign (4.2.1.3).
      const bits = tag === BIT_STRING ? (content[1] ?? 0) : 0;
      const has = (bit: number) => (bits & bit) !== 0;
      found.keyUsage = { digitalSignature: has(0x80), keyCertSign: has(0x04), crlSign: has(0x02) };
      return;
    }
    case OIDS.purposes:
      found.purposes = childrenOf(value, TAG.sequence).map(({ content }) => PURPOSES[hex(content)] ?? '');
      return;
    case OIDS.basicConstraints: {
      const length = childrenOf(value, TAG.sequence).find(({ tag }) => tag === TAG.integer);
      if (length !== undefined) found.pathLength = Number.parseInt(hex(length.content), 16);
      return;
    }
    case OIDS.alternativeNames:
      return;
    case OIDS.nameConstraints:
      found.unknown.push(oid);
      return;
    default:
      if (isCritical(extension)) found.unknown.push(oid);
  }
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
