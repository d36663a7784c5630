/** An identity in the shape of node:tls, the same for every connection of ours. */
import { KickError } from '../errors.ts';
import type { Identity } from './identity.ts';

export interface TlsMaterial {
  /** PEM. */
  key: string | Buffer;
  cert: string;
  ca: string[];
  crl: string[];
}

/**
 * Our CAs and nothing else, every CRL. Throws `KickError` `identity` where Node would say nothing: no
 * CA means the public ones, no CRL means no revocation, a key of another kind than the certificate's
 * fails at the first handshake.
 */
export function tlsMaterial(identity: Identity): TlsMaterial {
  const { certname, key, chain, ca, crls } = identity;
  const [leaf] = chain;
  if (leaf === undefined) throw unusable(certname, 'no certificate');
  if (!leaf.checkPrivateKey(key)) throw unusable(certname, "a key that is not its certificate's");
  if (ca.length === 0) throw unusable(certname, 'no CA certificate');
  if (crls.length === 0 || crls.some((crl) => crl.trim() === '')) throw unusable(certname, 'no CRL');
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }),
    cert: chain.map(String).join(''),
    ca: ca.map(String),
    crl: [...crls],
  };
}

function unusable(certname: string, what: string): KickError {
  return new KickError('identity', `TLS as "${certname}": the identity holds ${what}`);
}
