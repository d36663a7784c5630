/** Who we are and whom we trust: a key, its certificate, the CAs and every CRL. */
import type { KeyObject, X509Certificate } from 'node:crypto';

/** Where Puppet (or our own `kick pki`) keeps them; all PEM. */
export interface IdentityPaths {
  key: string;
  /** The leaf, possibly followed by intermediates. */
  certificate: string;
  /** One or more CA certificates. */
  ca: string;
  /** One CRL per CA. */
  crl: string;
  /** Certificates that are denied here; need not exist. */
  denied?: string;
}

/** Certificates that are not believed, whatever their CA says of them. */
export interface DenyList {
  /** The entry that denies a certificate (DER), if any does. */
  denies(certificate: Uint8Array): string | undefined;
}

/** An identity but for its key: enough to verify others, not to speak for this host. */
export interface Trust {
  readonly certname: string;
  /** The leaf, then the intermediates up to the root, which is not included. */
  readonly chain: readonly X509Certificate[];
  readonly ca: readonly X509Certificate[];
  /** PEM, one CRL per string: Node reads only the first of a bundle. */
  readonly crls: readonly string[];
  /** Absent if nobody is denied. */
  readonly denied?: DenyList;
  /** Sentences about what expires soon: the certificate within 30 days, a CRL within 7. */
  readonly warnings: readonly string[];
}

export interface Identity extends Trust {
  readonly key: KeyObject;
  /** Where the key was read from; absent if it was made in memory. */
  readonly keyPath?: string;
}
