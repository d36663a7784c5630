/** An identity as node:tls wants it, the same on both sides. */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { Identity } from '../../pki/identity.ts';
import { tlsMaterial } from '../../pki/tls-material.ts';

/** TLS 1.3, our CAs and nothing else, every CRL. Throws `KickError` `identity` as `tlsMaterial` does. */
export function tlsOptions(identity: Identity): SecureContextOptions {
  return {
    ...tlsMaterial(identity),
    minVersion: 'TLSv1.3',
    ciphers: 'DEFAULT@SECLEVEL=2',
    // A resumed session skips revocation and checkServerIdentity.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
