/** The files of an identity: PEM that is there, readable and of a kind that we use. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { KickError, messageOf, systemCode } from '../errors.ts';

const MAX_BYTES = 16 << 20;
const MIN_RSA_BITS = 2048;

/** `hint`: what to type next. */
export function broken(what: string, path: string, why: string, hint?: string, cause?: unknown): KickError {
  return new KickError('identity', `load the ${what} "${path}": ${why}`, {
    ...(hint !== undefined && { hint }),
    ...(cause !== undefined && { cause }),
  });
}

export async function readPem(path: string, what: string): Promise<string> {
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

export function privateKey(pem: string, path: string): KeyObject {
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

export function readCertificates(pem: string, path: string, what: string): X509Certificate[] {
  const blocks = pem.match(CERTIFICATE) ?? [];
  if (blocks.length === 0) throw broken(what, path, 'there is no certificate in it');
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch (error) {
    throw broken(what, path, 'it is not a certificate in PEM', undefined, error);
  }
}

/** For people. */
export const nameFor = (certificate: X509Certificate) => certificate.subject.replaceAll('\n', ', ');
