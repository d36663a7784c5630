/** DESIGN 5: sealing a request. Apart from opening it, since an agent never does and memory is dear there. */
import type { KeyObject, X509Certificate } from 'node:crypto';
import { FlattenedSign } from 'jose/jws/flattened/sign';
import { algorithmFor, TYPE } from './envelope.ts';
import type { Request } from './request.ts';

export interface Signer {
  key: KeyObject;
  /** The leaf first, then intermediates. */
  chain: readonly X509Certificate[];
}

/**
 * Seals a request. The signature is made in Node's thread pool (WebCrypto), not on the main thread.
 * Throws `TypeError` for a key of an unsupported kind.
 */
export async function seal(request: Request, { key, chain }: Signer): Promise<Uint8Array> {
  const alg = algorithmFor(key);
  if (alg === undefined) throw new TypeError(`cannot sign with a key of type "${key.asymmetricKeyType}"`);
  const jws = await new FlattenedSign(new TextEncoder().encode(JSON.stringify(request)))
    .setProtectedHeader({ alg, typ: TYPE, x5c: chain.map((c) => c.raw.toString('base64')) })
    .sign(key);
  const { protected: header, payload, signature } = jws;
  return new TextEncoder().encode(JSON.stringify({ protected: header, payload, signature }));
}
