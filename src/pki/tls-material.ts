/** An identity as options of node:tls, the same for all our connections. */
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
 * Our CAs and no others, and every CRL. Throws `KickError` `identity` where Node would be silent: without
 * a CA it uses the public ones, without a CRL it skips revocation, and a key that does not match the
 * certificate only fails at the first handshake.
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
