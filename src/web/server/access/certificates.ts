/** Programs with a client certificate of the controller's own CA, which TLS has verified against every CRL. */
import type { TLSSocket } from 'node:tls';
import { commonNameOf, DerError } from '../../../pki/der.ts';
import type { CurrentTrust } from './current-trust.ts';
import { type Grant, grantOf } from './grants.ts';

export interface Certificates {
  /** What the certificate of a connection may do, and its name; undefined for none that is known. */
  find(socket: TLSSocket): (Grant & { name: string; fingerprint: string }) | undefined;
}

type Given = Parameters<typeof grantOf>[0];

export function openCertificates(
  given: readonly Given[] = [],
  trust: Pick<CurrentTrust, 'refuses'> = { refuses: () => false },
): Certificates {
  const grants = new Map(given.map((one) => [one.name, grantOf(one)]));
  return {
    find(socket) {
      // `authorized` holds only for a chain that ends at our CA, with dates, usage and CRLs checked.
      if (grants.size === 0 || !socket.authorized) return undefined;
      const { raw, fingerprint256 } = socket.getPeerCertificate();
      const name = raw === undefined || trust.refuses(raw, socket) ? undefined : nameIn(raw);
      const grant = name === undefined ? undefined : grants.get(name);
      return name === undefined || grant === undefined
        ? undefined
        : { ...grant, name, fingerprint: fingerprint256 };
    },
  };
}

/** A certificate of two names is nobody's. */
function nameIn(raw: Uint8Array): string | undefined {
  try {
    return commonNameOf(raw);
  } catch (error) {
    if (error instanceof DerError) return undefined;
    throw error;
  }
}
