/** An identity from its four files, with every check that OpenSSL would silently skip. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { checkCrls, checkNotRevoked, crlWarnings } from './check-crls.ts';
import { splitCrls } from './crl.ts';
import { commonNameOf } from './der.ts';
import type { Identity, IdentityPaths } from './identity.ts';
import { broken, nameFor, privateKey, readCertificates, readPem } from './identity-files.ts';

const DAY_MS = 86_400_000;

/** Days before the end of a certificate from which we warn. */
const WARN_CERTIFICATE_DAYS = 30;

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

function certificateWarnings(leaf: X509Certificate, path: string, now: number): string[] {
  const days = Math.floor((Date.parse(leaf.validTo) - now) / DAY_MS);
  return days < WARN_CERTIFICATE_DAYS ? [`the certificate "${path}" expires in ${days} days`] : [];
}
