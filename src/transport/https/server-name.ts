/** Whether the certificate at the other end is the target's: the chain, dates and CRLs are OpenSSL's. */
import type { X509Certificate } from 'node:crypto';
import { commonNameOf, DerError } from '../../pki/der.ts';
import { isCertname } from '../../protocol/names.ts';
import { SendError } from '../transport.ts';

/**
 * Exactly one CN, equal to the certname, and the certname among the DNS names. Returns what stands
 * against it, or undefined.
 */
export function checkServerName(
  certname: string,
  certificate: X509Certificate | undefined,
): SendError | undefined {
  if (certificate === undefined) return wrong('what answers there has no certificate');
  // One CN and nothing else, as Puppet's CA and ours make them: what OpenSSL prints says so at once.
  const isPlain = certificate.subject === `CN=${certname}`;
  let name: string;
  try {
    name = isPlain ? certname : commonNameOf(certificate.raw);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return wrong(`the certificate there is of our CA but not one of an agent: ${error.message}`);
  }
  if (name !== certname) {
    return isCertname(name)
      ? wrong(`the certificate there is that of "${name}"`)
      : wrong('the certificate there is of our CA but its name is no certname');
  }
  const exact = { subject: 'never', wildcards: false, partialWildcards: false } as const;
  if (certificate.checkHost(certname, exact) === undefined) {
    return wrong(`the certificate there does not have "${certname}" among its DNS names`);
  }
  return undefined;
}

function wrong(message: string): SendError {
  return new SendError('certificate', message, { arrived: false });
}
