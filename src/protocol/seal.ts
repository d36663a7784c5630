/** DESIGN 5: sealing a request. Separate from opening it: agents never seal, and controllers never open. */
import { constants, type KeyObject, type SignKeyObjectInput, sign, type X509Certificate } from 'node:crypto';
import { algorithmFor, TYPES, type Type } from './algorithm.ts';
import type { Request } from './request.ts';

export interface Signer {
  key: KeyObject;
  /** The leaf first, then intermediates. */
  chain: readonly X509Certificate[];
}

/** The protected header of what a signer seals: the same for all of a type. */
const headers = new WeakMap<KeyObject, { chain: Signer['chain']; typ: Type; text: string }>();

/** Throws `TypeError` for an unsupported key. */
export function seal(request: Request, signer: Signer): Promise<Uint8Array> {
  return sealAs(TYPES.request, request, signer);
}

/**
 * Seals a document as a flattened JWS (RFC 7515 7.2.2). RSA signs in Node's thread pool; P-256 and Ed25519
 * take less time than handing the work over would. Throws `TypeError` for an unsupported key.
 */
export async function sealAs(typ: Type, document: object, { key, chain }: Signer): Promise<Uint8Array> {
  const header = headerOf(typ, { key, chain });
  const payload = base64url(JSON.stringify(document));
  const signature = await signatureOf(Buffer.from(`${header}.${payload}`), key);
  return Buffer.from(
    JSON.stringify({ protected: header, payload, signature: signature.toString('base64url') }),
  );
}

function headerOf(typ: Type, { key, chain }: Signer): string {
  const known = headers.get(key);
  if (known?.chain === chain && known.typ === typ) return known.text;
  const alg = algorithmFor(key);
  if (alg === undefined) throw new TypeError(`cannot sign with a key of type "${key.asymmetricKeyType}"`);
  const x5c = chain.map(({ raw }) => raw.toString('base64'));
  const text = base64url(JSON.stringify({ alg, typ, x5c }));
  headers.set(key, { chain, typ, text });
  return text;
}

/** RFC 7518 3.4 and 3.5, RFC 8037 3.1; the type of key has been checked. */
function signatureOf(data: Buffer, key: KeyObject): Buffer | Promise<Buffer> {
  switch (key.asymmetricKeyType) {
    case 'ec':
      return sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' });
    case 'ed25519':
      return sign(null, data, key);
    default:
      return signInPool(data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
  }
}

function signInPool(data: Buffer, key: SignKeyObjectInput): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sign('sha256', data, key, (error, signature) => (error === null ? resolve(signature) : reject(error)));
  });
}

const base64url = (text: string) => Buffer.from(text).toString('base64url');
