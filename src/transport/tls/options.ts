/** The TLS options for an identity, the same on both sides. */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';
import type { Identity } from '../../pki/identity.ts';
import { tlsMaterial } from '../../pki/tls-material.ts';

/** TLS 1.3, our CAs and no others, every CRL. Throws like `tlsMaterial`. */
export function tlsOptions(identity: Identity): SecureContextOptions {
  return {
    ...tlsMaterial(identity),
    minVersion: 'TLSv1.3',
    ciphers: 'DEFAULT@SECLEVEL=2',
    // A resumed session skips revocation and checkServerIdentity.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}
