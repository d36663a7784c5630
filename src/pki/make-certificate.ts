/**
 * Certificates and CRLs of our own CA. node-forge writes the ASN.1. It only supports RSA and signs slowly,
 * so keys and signatures come from node:crypto; and it has no CRLs, so TBSCertList is built here (RFC 5280
 * 4.1 and 5.1).
 */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import forge from 'node-forge';

const { asn1 } = forge;
type Asn1 = forge.asn1.Asn1;
const { Class, Type } = asn1;

const OID = {
  commonName: '2.5.4.3',
  ecdsaSha256: '1.2.840.10045.4.3.2',
  rsaSha256: '1.2.840.113549.1.1.11',
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  authorityKeyIdentifier: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ppCliAuth: '1.3.6.1.4.1.34380.1.3.39',
} as const;

const sequence = (...items: Asn1[]) => asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, items);
const set = (...items: Asn1[]) => asn1.create(Class.UNIVERSAL, Type.SET, true, items);
const primitive = (type: forge.asn1.Type, bytes: string) => asn1.create(Class.UNIVERSAL, type, false, bytes);
const oid = (text: string) => primitive(Type.OID, asn1.oidToDer(text).getBytes());
const nothing = () => primitive(Type.NULL, '');
const octets = (bytes: string) => primitive(Type.OCTETSTRING, bytes);
const integer = (hex: string) => primitive(Type.INTEGER, unsigned(Buffer.from(hex, 'hex')));
const der = (value: Asn1) => asn1.toDer(value).getBytes();
const utf8 = (text: string) => primitive(Type.UTF8, Buffer.from(text).toString('latin1'));
const tagged = (tag: number, isConstructed: boolean, value: Asn1[] | string) =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag as forge.asn1.Type, isConstructed, value);

/** The shortest two's complement of a non-negative number (X.690 8.3). */
function unsigned(bytes: Buffer): string {
  let from = 0;
  while (from < bytes.length - 1 && bytes[from] === 0 && (bytes[from + 1] ?? 0) < 0x80) from++;
  const short = bytes.subarray(from);
  return ((short[0] ?? 0) >= 0x80 ? '\0' : '') + short.toString('latin1');
}

/** RFC 5280 4.1.2.5: UTCTime up to 2049, GeneralizedTime from then on. */
function time(ms: number): Asn1 {
  const date = new Date(ms);
  const digits = date.toISOString().replace(/[-:T]|\.\d+/g, '');
  return date.getUTCFullYear() < 2050
    ? primitive(Type.UTCTIME, digits.slice(2))
    : primitive(Type.GENERALIZEDTIME, digits);
}

const nameOf = (commonNames: readonly string[]) =>
  sequence(...commonNames.map((text) => set(sequence(oid(OID.commonName), utf8(text)))));

function algorithmOf(key: KeyObject): Asn1 {
  return key.asymmetricKeyType === 'ec'
    ? sequence(oid(OID.ecdsaSha256))
    : sequence(oid(OID.rsaSha256), nothing());
}

function spkiOf(key: KeyObject): Asn1 {
  const bytes = (key.type === 'public' ? key : createPublicKey(key)).export({ type: 'spki', format: 'der' });
  const options = { strict: true, decodeBitStrings: false } as unknown as boolean;
  return asn1.fromDer(bytes.toString('latin1'), options);
}

/** RFC 5280 4.2.1.2, method 1: SHA-1 of the key's bits, without the byte that counts unused bits. */
function keyIdentifier(key: KeyObject): string {
  const bits = (spkiOf(key).value[1] as Asn1).value as string;
  return createHash('sha1')
    .update(Buffer.from(bits.slice(1), 'latin1'))
    .digest()
    .toString('latin1');
}

const extension = (id: string, value: Asn1, critical = false) =>
  sequence(oid(id), ...(critical ? [primitive(Type.BOOLEAN, '\xff')] : []), octets(der(value)));

const authorityKey = (issuer: KeyObject) =>
  extension(OID.authorityKeyIdentifier, sequence(tagged(0, false, keyIdentifier(issuer))));

function signed(tbs: Asn1, key: KeyObject, label: string): string {
  const bytes = Buffer.from(der(tbs), 'latin1');
  const signature = sign('sha256', bytes, key).toString('latin1');
  const whole = sequence(tbs, algorithmOf(key), primitive(Type.BITSTRING, `\0${signature}`));
  const base64 = Buffer.from(der(whole), 'latin1').toString('base64');
  return `-----BEGIN ${label}-----\n${base64.replace(/.{64}(?=.)/g, '$&\n')}\n-----END ${label}-----\n`;
}

export type CertificateRole = 'ca' | 'agent' | 'controller';
export type Purpose = 'serverAuth' | 'clientAuth';

/**
 * Like Puppet's, certificates are for serving and for connecting: an agent connects to a broker, a controller serves a page.
 * Permission to send requests is separate: it takes ppCliAuth or an entry in agent.yaml.
 */
const PURPOSES: Readonly<Record<CertificateRole, readonly Purpose[]>> = {
  ca: [],
  agent: ['serverAuth', 'clientAuth'],
  controller: ['serverAuth', 'clientAuth'],
};

export interface CertificateRequest {
  /** Common names; a real certificate has one. */
  subject: readonly string[];
  /** The holder's key; the public half will do. */
  key: KeyObject;
  issuer: { subject: readonly string[]; key: KeyObject };
  /** Hex. */
  serial: string;
  /** Milliseconds since 1970. */
  notBefore: number;
  notAfter: number;
  role: CertificateRole;
  /** Defaults to those of the role. */
  purposes?: readonly Purpose[];
  /** DNS names. */
  alternativeNames: readonly string[];
  /** Puppet's mark of an administrator. */
  ppCliAuth: boolean;
}

/** A certificate in PEM. */
export function makeCertificate(request: CertificateRequest): string {
  const { issuer, key, role } = request;
  const tbs = sequence(
    tagged(0, true, [integer('02')]),
    integer(request.serial),
    algorithmOf(issuer.key),
    nameOf(issuer.subject),
    sequence(time(request.notBefore), time(request.notAfter)),
    nameOf(request.subject),
    spkiOf(key),
    tagged(3, true, [sequence(...extensionsOf(request, role))]),
  );
  return signed(tbs, issuer.key, 'CERTIFICATE');
}

function extensionsOf(
  { key, issuer, alternativeNames, ppCliAuth, purposes }: CertificateRequest,
  role: CertificateRole,
) {
  const isCa = role === 'ca';
  const uses = purposes ?? PURPOSES[role];
  const names = alternativeNames.map((name) => tagged(2, false, name));
  return [
    extension(OID.basicConstraints, sequence(...(isCa ? [primitive(Type.BOOLEAN, '\xff')] : [])), true),
    // keyCertSign and cRLSign, or digitalSignature (RFC 5280 4.2.1.3).
    extension(OID.keyUsage, primitive(Type.BITSTRING, isCa ? '\x01\x06' : '\x07\x80'), true),
    ...(uses.length > 0
      ? [extension(OID.extendedKeyUsage, sequence(...uses.map((use) => oid(OID[use]))), true)]
      : []),
    ...(names.length > 0 ? [extension(OID.subjectAltName, sequence(...names))] : []),
    extension(OID.subjectKeyIdentifier, octets(keyIdentifier(key))),
    authorityKey(issuer.key),
    ...(ppCliAuth ? [extension(OID.ppCliAuth, utf8('true'))] : []),
  ];
}

export interface CrlRequest {
  issuer: { subject: readonly string[]; key: KeyObject };
  number: number;
  /** Milliseconds since 1970. */
  thisUpdate: number;
  nextUpdate: number;
  revoked: readonly { serial: string; at: number }[];
}

/** A CRL v2 in PEM. */
export function makeCrl({ issuer, number, thisUpdate, nextUpdate, revoked }: CrlRequest): string {
  const entries = revoked.map(({ serial, at }) => sequence(integer(serial), time(at)));
  const hex = number.toString(16);
  const extensions = [
    authorityKey(issuer.key),
    extension(OID.crlNumber, integer(hex.length % 2 === 0 ? hex : `0${hex}`)),
  ];
  const tbs = sequence(
    integer('01'),
    algorithmOf(issuer.key),
    nameOf(issuer.subject),
    time(thisUpdate),
    time(nextUpdate),
    ...(entries.length > 0 ? [sequence(...entries)] : []),
    tagged(0, true, [sequence(...extensions)]),
  );
  return signed(tbs, issuer.key, 'X509 CRL');
}
