/** Loads an identity from its four files, with every check that OpenSSL would silently skip. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { messageOf } from '../errors.ts';
import { isCertname } from '../protocol/names.ts';
import { exists } from '../util/files.ts';
import { checkCrls, checkNotRevoked, crlWarnings } from './check-crls.ts';
import { splitCrls } from './crl.ts';
import { commonNameOf } from './der.ts';
import type { DenyList, Identity, IdentityPaths, Trust } from './identity.ts';
import {
  broken,
  CUT_OFF,
  isCutOff,
  isWhole,
  NOT_WHOLE,
  nameFor,
  privateKey,
  RENEW,
  readCertificates,
  readPem,
} from './identity-files.ts';

const DAY_MS = 86_400_000;

/** Warns this many days before a certificate expires. */
const WARN_CERTIFICATE_DAYS = 30;

/**
 * Loads and checks an identity. `now` is milliseconds since 1970. Throws `KickError` `untrusted` for files that others can
 * change, and `identity`, whose cause has the system's code if a file could not be read.
 */
export async function loadIdentity(paths: IdentityPaths, { now }: { now: number }): Promise<Identity> {
  const key = privateKey(readPem(paths.key, 'key'), paths.key);
  const trust = await loadTrust(paths, { now });
  const [leaf] = trust.chain;
  if (leaf !== undefined) checkKeyFits(key, leaf, paths);
  return { ...trust, key, keyPath: paths.key };
}

/** The same without the key, which is not even looked at. */
export async function loadTrust(paths: IdentityPaths, { now }: { now: number }): Promise<Trust> {
  const certificatePem = readPem(paths.certificate, 'certificate');
  const caPem = readPem(paths.ca, 'CA certificates');
  const crlPem = readPem(paths.crl, 'CRLs');
  const certificates = readCertificates(certificatePem, paths.certificate, 'certificate');
  const ca = readCertificates(caPem, paths.ca, 'CA certificates');
  const [leaf] = certificates;
  if (leaf === undefined)
    throw broken('certificate', paths.certificate, { why: 'there is no certificate in it' });
  const certname = certnameOf(leaf, paths.certificate);
  checkDates(leaf, { what: 'certificate', path: paths.certificate, now });
  const chain = chainOf(certificates, ca, { paths, now });
  const lists = splitCrls(crlPem);
  if (isCutOff(crlPem, 'X509 CRL', lists.length)) throw broken('CRLs', paths.crl, { why: CUT_OFF });
  const crls = checkCrls(lists, ca, { paths, now });
  checkNotRevoked(leaf, crls, paths);
  const denied = await deniedBy(paths, ca);
  return {
    certname,
    chain,
    ca,
    crls: crls.map(({ pem }) => pem),
    ...(denied !== undefined && { denied }),
    warnings: [...certificateWarnings(leaf, paths.certificate, now), ...crlWarnings(crls, paths.crl, now)],
  };
}

/** Most sites deny nobody, and load nothing for it. */
async function deniedBy(
  { denied: path }: IdentityPaths,
  ca: readonly X509Certificate[],
): Promise<DenyList | undefined> {
  if (path === undefined || !(await exists(path))) return undefined;
  return (await import('./deny-list.ts')).readDenyList(path, ca);
}

function certnameOf(leaf: X509Certificate, path: string): string {
  let name: string;
  try {
    name = commonNameOf(leaf.raw);
  } catch (error) {
    throw broken('certificate', path, { why: messageOf(error) });
  }
  if (!isCertname(name)) throw broken('certificate', path, { why: `its name "${name}" is not a certname` });
  return name;
}

function checkKeyFits(key: KeyObject, leaf: X509Certificate, paths: IdentityPaths): void {
  if (leaf.checkPrivateKey(key)) {
    if (isWhole(key)) return;
    throw broken('key', paths.key, { why: NOT_WHOLE, hint: `restore it from a backup, or ${RENEW}` });
  }
  throw broken('key', paths.key, {
    why: `it does not belong to the certificate "${paths.certificate}"`,
    hint: 'one of the two was replaced: have a new certificate made for this key',
  });
}

function checkDates(
  certificate: X509Certificate,
  { what, path, now }: { what: string; path: string; now: number },
): void {
  if (now > Date.parse(certificate.validTo)) {
    throw broken(what, path, {
      why: `"${nameFor(certificate)}" has expired on ${certificate.validTo}`,
      hint: what === 'certificate' ? RENEW : 'have a new one made',
    });
  }
  if (now < Date.parse(certificate.validFrom)) {
    throw broken(what, path, {
      why: `"${nameFor(certificate)}" is valid only from ${certificate.validFrom} on`,
      hint: "check this host's clock",
    });
  }
}

/** The leaf and the intermediates that link it to one of the CA's roots, without the root. Throws if one above the leaf is over. */
function chainOf(
  certificates: readonly X509Certificate[],
  ca: readonly X509Certificate[],
  { paths, now }: { paths: IdentityPaths; now: number },
): X509Certificate[] {
  const isOver = ({ validTo }: X509Certificate) => now > Date.parse(validTo);
  // A CA that was renewed with its key is there twice.
  const known = [...certificates.slice(1), ...ca].sort((a, b) => Number(isOver(a)) - Number(isOver(b)));
  const chain: X509Certificate[] = [];
  let last = certificates[0];
  while (last !== undefined && !isSelfSigned(last)) {
    chain.push(last);
    const child: X509Certificate = last;
    last = known.find((issuer) => issuer.ca && child.checkIssued(issuer) && child.verify(issuer.publicKey));
    if (chain.length > 8) break;
  }
  if (last === undefined || !ca.some((one) => one.raw.equals(last.raw))) {
    throw broken('certificate', paths.certificate, { why: `it was not made by the CA in "${paths.ca}"` });
  }
  for (const above of [...chain.slice(1), last])
    checkDates(above, { what: 'CA certificates', path: paths.ca, now });
  return chain;
}

const isSelfSigned = (certificate: X509Certificate) =>
  certificate.checkIssued(certificate) && certificate.verify(certificate.publicKey);

function certificateWarnings(leaf: X509Certificate, path: string, now: number): string[] {
  const days = Math.floor((Date.parse(leaf.validTo) - now) / DAY_MS);
  return days < WARN_CERTIFICATE_DAYS ? [`the certificate "${path}" expires in ${days} days`] : [];
}
