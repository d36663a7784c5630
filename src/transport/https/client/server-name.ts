/** Checks that the certificate at the other end is the target's; chain, dates and CRLs are left to OpenSSL. */
import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import { commonNameOf, DerError } from '../../../pki/der.ts';
import type { DenyList } from '../../../pki/identity.ts';
import { isCertname } from '../../../protocol/names.ts';
import { SendError } from '../../transport.ts';

/** The parts that Node extracts from a certificate; all are missing if there is none. */
export type SpelledOut = Pick<Partial<PeerCertificate>, 'subject' | 'subjectaltname' | 'raw'>;

/**
 * Requires exactly one CN, equal to the certname, and the certname among the DNS names. Returns what is
 * wrong, or undefined.
 */
export function checkServerName(
  certname: string,
  { subject, subjectaltname, raw }: SpelledOut,
): SendError | undefined {
  if (raw === undefined) return wrong('what answers there has no certificate');
  let name: string;
  try {
    name = isPlain(subject, certname) ? certname : commonNameOf(raw);
  } catch (error) {
    if (!(error instanceof DerError)) throw error;
    return wrong(`the certificate there is of our CA but not one of an agent: ${error.message}`);
  }
  if (name !== certname) {
    return isCertname(name)
      ? wrong(`the certificate there is that of "${name}"`)
      : wrong('the certificate there is of our CA but its name is no certname');
  }
  if (subjectaltname !== `DNS:${certname}` && !hasDnsName(raw, certname)) {
    return wrong(`the certificate there does not have "${certname}" among its DNS names`);
  }
  return undefined;
}

/** Returns what is wrong, or undefined. */
export function checkDenied({ raw }: SpelledOut, denied: DenyList | undefined): SendError | undefined {
  const entry = raw === undefined ? undefined : denied?.denies(raw);
  return entry === undefined ? undefined : wrong(`the certificate there is denied here: ${entry}`);
}

/** One CN and nothing else, as issued by Puppet's CA and ours; Node returns several values as an array. */
function isPlain(subject: SpelledOut['subject'], certname: string): boolean {
  return subject?.CN === certname && Object.keys(subject).length === 1;
}

function hasDnsName(certificate: Uint8Array, certname: string): boolean {
  const exact = { subject: 'never', wildcards: false, partialWildcards: false } as const;
  return new X509Certificate(certificate).checkHost(certname, exact) !== undefined;
}

function wrong(message: string): SendError {
  return new SendError('certificate', message, { arrived: false });
}
