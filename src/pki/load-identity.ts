/** An identity from its four files, with everything checked that OpenSSL would pass over in silence. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { readCrl, splitCrls } from './crl.ts';
import { childrenOf, commonNameOf, TAG } from './der.ts';
import type { Identity, IdentityPaths } from './identity.ts';

const DAY_MS = 86_400_000;

/** Days before the end of a certificate, and of a CRL, from which on we warn. */
const WARN_CERTIFICATE_DAYS = 30;
const WARN_CRL_DAYS = 7;

const MAX_BYTES = 16 << 20;
const MIN_RSA_BITS = 2048;

/**
 * Loads and checks an identity. `now` is milliseconds since 1970. Throws `KickError` `identity`,
 * whose cause has the system's code where a file could not be read.
 */
export async function loadIdentity(paths: IdentityPaths, { now }: { now: number }): Promise<Identity> {
  const [keyPem, certificatePem, caPem, crlPem] = await Promise.all([
    readPem(paths.key, 'key'),
    readPem(paths.certificate, 'certificate'),
    readPem(paths.ca, 'CA certificates'),
    readPem(paths.crl, 'CRLs'),
  ]);
  const key = privateKey(keyPem, paths.key);
  const certificates = readCertificates(certificatePem, paths.certificate, 'certificate');
  const ca = readCertificates(caPem, paths.ca, 'CA certificates');
  const [leaf] = certificates;
  if (leaf === undefined) throw broken('certificate', paths.certificate, 'there is no certificate in it');
  const certname = certnameOf(leaf, paths.certificate);
  checkKeyFits(key, leaf, paths);
  checkDates(leaf, 'certificate', paths.certificate, now);
  const chain = chainOf(certificates, ca, paths);
  const crls = checkCrls(splitCrls(crlPem), ca, paths, now);
  checkNotRevoked(leaf, crls, paths);
  return {
    certname,
    key,
    chain,
    ca,
    crls: crls.map(({ pem }) => pem),
    warnings: [...certificateWarnings(leaf, paths.certificate, now), ...crlWarnings(crls, paths.crl, now)],
  };
}

function broken(what: string, path: string, why: string, hint?: string, cause?: unknown): KickError {
  return new KickError('identity', `load the ${what} "${path}": ${why}`, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });
}

async function readPem(path: string, what: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > MAX_BYTES) throw broken(what, path, `it is larger than ${MAX_BYTES} bytes`);
    const text = await readFile(path, 'latin1');
    // Node takes an empty CA for "the public web", and an empty CRL for "revoke nothing".
    if (text.trim() === '') throw broken(what, path, 'it is empty');
    return text;
  } catch (error) {
    if (error instanceof KickError) throw error;
    switch (systemCode(error)) {
      case 'EACCES':
        throw broken(what, path, 'it may not be read by this user', 'run as root: sudo kick …', error);
      case 'ENOENT':
        throw broken(
          what,
          path,
          'there is no such file',
          "this host needs a certificate first: run 'puppet ssl bootstrap', or see 'kick pki --help'",
          error,
        );
      default:
        throw broken(what, path, messageOf(error), undefined, error);
    }
  }
}

function privateKey(pem: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const isLocked = /ENCRYPTED/.test(pem);
    throw broken(
      'key',
      path,
      isLocked ? 'it has a passphrase' : 'it is not a private key in PEM',
      undefined,
      error,
    );
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return key;
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return key;
  if (type === 'ed25519') return key;
  const size = details?.modulusLength ?? details?.namedCurve ?? '';
  throw broken(
    'key',
    path,
    `a key of type "${type} ${size}" is not used here`,
    'RSA from 2048 bits, P-256 or Ed25519',
  );
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

function readCertificates(pem: string, path: string, what: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw broken(what, path, 'there is no certificate in it');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw broken(what, path, 'it is not a certificate in PEM', undefined, error);
  }
}

function certnameOf(leaf: X509Certificate, path: string): string {
  let name: string;
  try {
    name = commonNameOf(leaf.raw);
  } catch (error) {
    throw broken('certificate', path, messageOf(error));
  }
  if (!isCertname(name)) throw broken('certificate', path, `its name "${name}" is not a certname`);
  return name;
}

function checkKeyFits(key: KeyObject, leaf: X509Certificate, paths: IdentityPaths): void {
  if (leaf.checkPrivateKey(key)) return;
  throw broken(
    'key',
    paths.key,
    `it does not belong to the certificate "${paths.certificate}"`,
    'one of the two was replaced: have a new certificate made for this key',
  );
}

function checkDates(certificate: X509Certificate, what: string, path: string, now: number): void {
  if (now > Date.parse(certificate.validTo)) {
    throw broken(
      what,
      path,
      `"${nameFor(certificate)}" has expired on ${certificate.validTo}`,
      'have a new one made',
    );
  }
  if (now < Date.parse(certificate.validFrom)) {
    throw broken(
      what,
      path,
      `"${nameFor(certificate)}" is valid only from ${certificate.validFrom} on`,
      "look at this host's clock",
    );
  }
}

const nameFor = (certificate: X509Certificate) => certificate.subject.replaceAll('\n', ', ');

/** The leaf and what links it to one of the CA's roots, the root itself left out. */
function chainOf(
  certificates: readonly X509Certificate[],
  ca: readonly X509Certificate[],
  paths: IdentityPaths,
): X509Certificate[] {
  const known = [...certificates.slice(1), ...ca];
  const chain: X509Certificate[] = [];
  let last = certificates[0];
  while (last !== undefined && !isSelfSigned(last)) {
    chain.push(last);
    const child: X509Certificate = last;
    last = known.find((issuer) => issuer.ca && child.checkIssued(issuer) && child.verify(issuer.publicKey));
    if (chain.length > 8) break;
  }
  if (last === undefined || !ca.some((one) => one.raw.equals(last.raw))) {
    throw broken('certificate', paths.certificate, `it was not made by the CA in "${paths.ca}"`);
  }
  return chain;
}

const isSelfSigned = (certificate: X509Certificate) =>
  certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);

interface CheckedCrl {
  pem: string;
  issuer: Uint8Array;
  nextUpdate?: number;
  revoked: string[];
}

/** With a CRL missing for one CA, or expired, OpenSSL rejects everybody: better said now. */
function checkCrls(
  pems: readonly string[],
  ca: readonly X509Certificate[],
  { crl: path, ca: caPath }: IdentityPaths,
  now: number,
): CheckedCrl[] {
  if (pems.length === 0) throw broken('CRLs', path, 'there is no CRL in it');
  let crls: CheckedCrl[];
  try {
    crls = pems.map((pem) => ({ pem, ...readCrl(pem) }));
  } catch (error) {
    throw broken('CRLs', path, messageOf(error));
  }
  const fresh = (crl: CheckedCrl) => crl.nextUpdate === undefined || crl.nextUpdate > now;
  for (const authority of ca) {
    const own = crls.filter(({ issuer }) => Buffer.compare(issuer, subjectOf(authority)) === 0);
    const name = nameFor(authority);
    if (own.length === 0) {
      throw broken('CRLs', path, `there is none of "${name}", which is in "${caPath}"`, REFRESH);
    }
    if (!own.some(fresh)) throw broken('CRLs', path, `the one of "${name}" has expired`, REFRESH);
  }
  return crls;
}

const REFRESH = "copy the CA's current CRLs here (Puppet: GET /puppet-ca/v1/certificate_revocation_list/ca)";

function subjectOf(certificate: X509Certificate): Uint8Array {
  const [tbs] = childrenOf(certificate.raw, TAG.sequence);
  const fields = tbs === undefined ? [] : childrenOf(tbs.whole, TAG.sequence);
  return fields[fields[0]?.tag === 0xa0 ? 5 : 4]?.whole ?? new Uint8Array();
}

function issuerOf(certificate: X509Certificate): Uint8Array {
  const [tbs] = childrenOf(certificate.raw, TAG.sequence);
  const fields = tbs === undefined ? [] : childrenOf(tbs.whole, TAG.sequence);
  return fields[fields[0]?.tag === 0xa0 ? 3 : 2]?.whole ?? new Uint8Array();
}

function checkNotRevoked(leaf: X509Certificate, crls: readonly CheckedCrl[], paths: IdentityPaths): void {
  const issuer = issuerOf(leaf);
  const serial = BigInt(`0x${leaf.serialNumber}`);
  const own = crls.filter((crl) => Buffer.compare(crl.issuer, issuer) === 0);
  if (own.some(({ revoked }) => revoked.some((one) => BigInt(`0x${one}`) === serial))) {
    throw broken('certificate', paths.certificate, 'it has been revoked', 'have a new one made');
  }
}

function certificateWarnings(leaf: X509Certificate, path: string, now: number): string[] {
  const days = Math.floor((Date.parse(leaf.validTo) - now) / DAY_MS);
  return days < WARN_CERTIFICATE_DAYS ? [`the certificate "${path}" expires in ${days} days`] : [];
}

function crlWarnings(crls: readonly CheckedCrl[], path: string, now: number): string[] {
  const ends = crls.flatMap(({ nextUpdate }) => nextUpdate ?? []);
  const days = Math.floor((Math.min(...ends) - now) / DAY_MS);
  return days < WARN_CRL_DAYS ? [`a CRL in "${path}" expires in ${days} days`] : [];
}
