/** Reads the files of an identity: PEM that exists, is readable and of a supported kind. */
import {
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
  X509Certificate,
} from 'node:crypto';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { readTrusted } from '../util/trusted-file.ts';

/** For a certificate that is of no use any more. */
export const RENEW =
  "have a new one made: 'puppet ssl clean' and 'puppet ssl bootstrap' here, after 'puppetserver ca clean'; of our own CA: 'kick pki token NAME' on the controller, then 'kick agent enroll'";

const FIRST =
  "this host needs a certificate first: run 'puppet ssl bootstrap', or, where there is no Puppet CA, 'kick agent enroll' (on the controller 'kick pki issue'); --certname names another";

const FETCH_CA = "'puppet ssl bootstrap' fetches it; of kick's own CA: copy certs/ca.pem from the CA's host";

/** For CRLs that are missing or damaged. */
export const FETCH_CRL =
  "'puppet ssl bootstrap' fetches one that is missing; of kick's own CA: 'kick agent renew' here, and on the CA's host a restart of kick pki serve";

const MAX_BYTES = 16 << 20;
const MIN_RSA_BITS = 2048;

export function broken(
  what: string,
  path: string,
  { why, hint, cause }: { why: string; hint?: string; cause?: unknown },
): KickError {
  return new KickError('identity', `load the ${what} "${path}": ${why}`, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });
}

/** Throws `KickError` `identity`, and `untrusted` if others than Puppet's own user can change it. */
export function readPem(path: string, what: string): string {
  try {
    const doing = `load the ${what} "${path}"`;
    const text = readTrusted(path, { doing, isPuppets: true, maxBytes: MAX_BYTES }).toString('latin1');
    // To Node, an empty CA means the public CAs, and an empty CRL no revocation.
    if (text.trim() === '') throw broken(what, path, { why: 'it is empty' });
    return text;
  } catch (error) {
    if (error instanceof KickError) throw error;
    switch (systemCode(error)) {
      case 'EACCES':
        throw broken(what, path, {
          why: 'it may not be read by this user',
          hint: 'run as root: sudo kick …',
          cause: error,
        });
      case 'ENOENT':
        throw broken(what, path, {
          why: 'there is no such file',
          hint: /^CRL/.test(what) ? FETCH_CRL : /^CA/.test(what) ? FETCH_CA : FIRST,
          cause: error,
        });
      default:
        throw broken(what, path, { why: messageOf(error), cause: error });
    }
  }
}

export function privateKey(pem: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    const isLocked = /ENCRYPTED/.test(pem);
    throw broken('key', path, {
      why: isLocked ? 'it has a passphrase' : 'it is not a private key in PEM',
      cause: error,
    });
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'rsa' && (details?.modulusLength ?? 0) >= MIN_RSA_BITS) return key;
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return key;
  if (type === 'ed25519') return key;
  const size = details?.modulusLength ?? details?.namedCurve ?? '';
  throw broken('key', path, {
    why: `a key of type "${type} ${size}" is not used here`,
    hint: 'RSA from 2048 bits, P-256 or Ed25519',
  });
}

/** A key of which one bit is another can still be read, and belongs to its certificate; but nobody believes what it signs. */
export function isWhole(key: KeyObject): boolean {
  const probe = Buffer.from('a probe');
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  // EdDSA has its own; an RSA key may be for one and PSS only.
  const digest = type === 'ed25519' || type === 'ed448' ? null : (details?.hashAlgorithm ?? 'sha256');
  try {
    return verify(digest, probe, createPublicKey(key), sign(digest, probe, key));
  } catch {
    return false; // of an RSA key, some are no numbers that can be reckoned with
  }
}

export const NOT_WHOLE = 'it is damaged, its two halves do not fit';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

export function readCertificates(pem: string, path: string, what: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (isCutOff(pem, 'CERTIFICATE', blocks.length)) throw broken(what, path, { why: CUT_OFF });
  if (blocks.length === 0) throw broken(what, path, { why: 'there is no certificate in it' });
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw broken(what, path, { why: 'it is not a certificate in PEM', cause: error });
  }
}

export const CUT_OFF = 'it is cut off, or damaged';

/** Whether a bundle has blocks that begin and are not whole: somebody is writing it. */
export function isCutOff(pem: string, label: string, whole: number): boolean {
  return pem.split(`-----BEGIN ${label}-----`).length - 1 !== whole;
}

/** For people. Node gives none for an empty name, whatever its types say. */
export const nameFor = ({ subject = '' }: Partial<X509Certificate>) => subject.replaceAll('\n', ', ');
