/** Who we are and whom we trust: a key, its certificate, the CAs and every CRL. */
import type { KeyObject, X509Certificate } from 'node:crypto';

/** Where Puppet (or our own `kick pki`) keeps them; all PEM. */
export interface IdentityPaths {
  key: string;
  /** The leaf, perhaps followed by intermediates. */
  certificate: string;
  /** One or more CA certificates. */
  ca: string;
  /** One CRL for each CA. */
  crl: string;
}

export interface Identity {
  readonly certname: string;
  readonly key: KeyObject;
  /** The leaf first, then the intermediates up to, not including, the root. */
  readonly chain: readonly X509Certificate[];
  readonly ca: readonly X509Certificate[];
  /** PEM, one CRL a string: Node reads only the first of a bundle (facts). */
  readonly crls: readonly string[];
  /** What will go wrong soon: certificate within 30 days, CRL within 7. Sentences. */
  readonly warnings: readonly string[];
}
