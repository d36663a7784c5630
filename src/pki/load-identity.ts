/** An identity from its four files, with everything checked that OpenSSL would pass over in silence. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { plural } from '../util/text.ts';
import { type CheckedCrls, checkCrls } from './check-crls.ts';
import { commonNameOf, DerError, subjectOf } from './der.ts';
import type { Identity, IdentityPaths } from './identity.ts';
import { type UnusableFile, unusable } from './identity-error.ts';

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
  try {
    return await load(paths, now);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    throw unusable(certificateFile(paths), messageOf(error), { cause: error });
  }
}

const certificateFile = ({ certificate }: IdentityPaths) => ({ what: 'certificate', path: certificate });

async function load(paths: IdentityPaths, now: number): Promise<Identity> {
  const files = {
    key: { what: 'key', path: paths.key },
    certificate: certificateFile(paths),
    ca: { what: 'CA certificates', path: paths.ca },
    crl: { what: 'CRLs', path: paths.crl },
  };
  const [keyPem, certificatePem, caPem, crlPem] = await Promise.all([
    readPem(files.key),
    readPem(files.certificate),
    readPem(files.ca),
    readPem(files.crl),
  ]);
  const key = privateKey(keyPem, files.key);
  const certificates = readCertificates(certificatePem, files.certificate);
  const ca = readCertificates(caPem, files.ca);
  const [leaf] = certificates;
  if (leaf === undefined) throw unusable(files.certificate, NO_CERTIFICATE);
  const certname = certnameOf(leaf, files.certificate);
  checkKeyFits(key, leaf, paths);
  checkDates(leaf, files.certificate, now);
  const { chain, root } = chainOf(certificates, ca, paths);
  for (const authority of [...chain.slice(1), root]) checkDates(authority, files.ca, now);
  const crls = checkCrls(crlPem, ca, { paths, now });
  checkNotRevoked(chain, crls, paths);
  const warnings = warningsOf([...chain, root], crls, { paths, now });
  return { certname, key, chain, ca, crls: crls.pems, warnings };
}

async function readPem(file: UnusableFile): Promise<string> {
  try {
    const info = await stat(file.path);
    if (!info.isFile()) throw unusable(file, 'it is not a file');
    if (info.size > MAX_BYTES) throw unusable(file, `it is larger than ${MAX_BYTES} bytes`);
    const text = await readFile(file.path, 'latin1');
    // Node takes an empty CA for "the public web", and an empty CRL for "revoke nothing".
    if (text.trim() === '') throw unusable(file, 'it is empty');
    return text;
  } catch (error) {
    if (error instanceof KickError) throw error;
    switch (systemCode(error)) {
      case 'EACCES':
        throw unusable(file, 'it may not be read by this user', {
          hint: 'run as root: sudo kick …',
          cause: error,
        });
      case 'ENOENT':
        throw unusable(file, 'there is no such file', {
          hint: "this host needs a certificate first: run 'puppet ssl bootstrap', or see 'kick pki --help'",
          cause: error,
        });
      default:
        throw unusable(file, messageOf(error), { cause: error });
    }
  }
}

function privateKey(pem: string, file: UnusableFile): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const why = /ENCRYPTED/.test(pem) ? 'it has a passphrase' : 'it is not a private key in PEM';
    throw unusable(file, why, { cause: error });
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return key;
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return key;
  if (type === 'ed25519') return key;
  const kind = [type, details?.modulusLength ?? details?.namedCurve].filter(Boolean).join(' ');
  throw unusable(file, `a key of type "${kind}" is not used here`, {
    hint: 'use RSA from 2048 bits, P-256 or Ed25519',
  });
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const NO_CERTIFICATE = 'there is no certificate in it';

function readCertificates(pem: string, file: UnusableFile): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw unusable(file, NO_CERTIFICATE);
  try {
    const certificates = blocks.map((block) => new X509Certificate(block));
    for (const { raw } of certificates) subjectOf(raw);
    return certificates;
  } catch (error) {
    throw unusable(file, 'it is not a certificate in PEM', { cause: error });
  }
}

function certnameOf(leaf: X509Certificate, file: UnusableFile): string {
  const name = commonNameOf(leaf.raw);
  if (!isCertname(name)) throw unusable(file, `its name "${name}" is not a certname`);
  return name;
}

function checkKeyFits(key: KeyObject, leaf: X509Certificate, paths: IdentityPaths): void {
  if (leaf.checkPrivateKey(key)) return;
  throw unusable(
    { what: 'key', path: paths.key },
    `it does not belong to the certificate "${paths.certificate}"`,
    { hint: 'one of the two was replaced: have a new certificate made for this key' },
  );
}

function checkDates(certificate: X509Certificate, file: UnusableFile, now: number): void {
  const { validFrom, validTo } = certificate;
  if (now > Date.parse(validTo)) {
    throw unusable(file, `"${nameFor(certificate)}" has expired on ${validTo}`, {
      hint: 'have a new one made',
    });
  }
  if (now < Date.parse(validFrom)) {
    throw unusable(file, `"${nameFor(certificate)}" is valid only from ${validFrom} on`, {
      hint: "look at this host's clock",
    });
  }
}

const nameFor = (certificate: X509Certificate) => certificate.subject.replaceAll('\n', ', ');

/** Longer than any chain that OpenSSL follows for us; a ring of CAs ends here. */
const MAX_CHAIN = 8;

/** The leaf and what links it to one of the CA's roots; the root apart. */
function chainOf(
  certificates: readonly X509Certificate[],
  ca: readonly X509Certificate[],
  paths: IdentityPaths,
): { chain: X509Certificate[]; root: X509Certificate } {
  const known = [...certificates.slice(1), ...ca];
  const chain: X509Certificate[] = [];
  let last = certificates[0];
  while (last !== undefined && !isSelfSigned(last) && chain.length < MAX_CHAIN) {
    chain.push(last);
    const child: X509Certificate = last;
    last = known.find((issuer) => issuer.ca && child.checkIssued(issuer) && child.verify(issuer.publicKey));
  }
  const root = ca.find((one) => last !== undefined && one.raw.equals(last.raw) && isSelfSigned(one));
  if (root === undefined || chain.length === 0) {
    throw unusable(certificateFile(paths), `it was not made by the CA in "${paths.ca}"`);
  }
  return { chain, root };
}

const isSelfSigned = (certificate: X509Certificate) =>
  certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);

/** A revoked intermediate is as bad as a revoked leaf: OpenSSL asks the CRLs about the whole chain. */
function checkNotRevoked(chain: readonly X509Certificate[], crls: CheckedCrls, paths: IdentityPaths): void {
  const revoked = chain.find((certificate) => crls.isRevoked(certificate));
  if (revoked === undefined) return;
  const which = revoked === chain[0] ? 'it' : `its issuer "${nameFor(revoked)}"`;
  throw unusable(certificateFile(paths), `${which} has been revoked`, { hint: 'have a new one made' });
}

function warningsOf(
  chain: readonly X509Certificate[],
  { firstEnd }: CheckedCrls,
  { paths, now }: { paths: IdentityPaths; now: number },
): string[] {
  const daysTo = (end: number) => Math.floor((end - now) / DAY_MS);
  const certificates = chain.flatMap((certificate, index) => {
    const days = daysTo(Date.parse(certificate.validTo));
    if (days >= WARN_CERTIFICATE_DAYS) return [];
    const what =
      index === 0
        ? `the certificate "${paths.certificate}"`
        : `the CA certificate "${nameFor(certificate)}" in "${paths.ca}"`;
    return [`${what} expires in ${plural(days, 'day')}`];
  });
  const days = firstEnd === undefined ? Number.POSITIVE_INFINITY : daysTo(firstEnd);
  return days < WARN_CRL_DAYS
    ? [...certificates, `a CRL in "${paths.crl}" expires in ${plural(days, 'day')}`]
    : certificates;
}
