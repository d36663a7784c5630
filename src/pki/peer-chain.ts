/**
 * RFC 5280 6, for a certificate that did not come by TLS: as strict as OpenSSL is with our connections, and stricter where
 * that is simpler. Whatever is not understood is refused.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { extensionsOf, hasSafeKey, isSignedSafely, subjectOf } from './certificate-fields.ts';
import { type Crl, crlsOf } from './chain-crls.ts';
import { DerError, serialNumber } from './der.ts';
import type { Identity } from './identity.ts';

/** Why a certificate is not believed. */
export class ChainError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ChainError';
  }
}

/** What a certificate must be good for, if it says what it is good for. */
export type Use = 'clientAuth' | 'serverAuth';

export interface ChainVerifier {
  /**
   * Returns the leaf if it was issued by our CA, is valid at `now` (milliseconds since 1970), is not denied, and neither it
   * nor one above it is revoked. Throws `ChainError`.
   */
  verify(chain: readonly Uint8Array[], options: { now: number; use: Use }): X509Certificate;
  /** The same for somebody who was let in already: whether it, or a CRL, has come to its end meanwhile does not count. */
  verifyUndated(chain: readonly Uint8Array[], options: { use: Use }): X509Certificate;
}

const MAX_DEPTH = 8;
/** Leaves that were verified, by their hash: only dates are checked again. */
const MAX_KNOWN = 20_000;

interface Known {
  leaf: X509Certificate;
  from: number;
  to: number;
}

/** Believes what `identity` names: its CAs, and its CRLs if they are signed by one of them. */
export function chainVerifier({
  ca: cas,
  crls: pems,
  denied,
}: Pick<Identity, 'ca' | 'crls' | 'denied'>): ChainVerifier {
  // Of a CA that was renewed with its key, the one that lasts.
  const ca = [...cas].sort((a, b) => Date.parse(b.validTo) - Date.parse(a.validTo));
  const crls = crlsOf(pems, ca);
  const known = new Map<string, Known>();

  const check = (chain: readonly Uint8Array[], use: Use, checkTimes: (checked: Known) => void) => {
    // The leaf's alone: those above it have CRLs of ours, so they are CAs of ours, whatever was sent beside it.
    const [der = ''] = chain;
    const key = `${use} ${createHash('sha256').update(der).digest('base64')}`;
    const before = known.get(key);
    const checked = before ?? readChain(chain, { ca, crls, use });
    checkTimes(checked);
    if (denied?.denies(checked.leaf.raw) !== undefined)
      throw new ChainError(`"${nameOf(checked.leaf)}" is denied here`);
    if (before === undefined) {
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(key, checked);
    }
    return checked.leaf;
  };

  return {
    verify: (chain, { now, use }) =>
      check(chain, use, (checked) => {
        checkDates(checked, now);
        checkCrlDates(crls, now);
      }),
    verifyUndated: (chain, { use }) => check(chain, use, () => {}),
  };
}

/** OpenSSL takes encodings that are no DER (X.690 10.1), which we do not read. */
function readChain(...[ders, options]: Parameters<typeof checkChain>): Known {
  try {
    return checkChain(ders, options);
  } catch (error) {
    if (error instanceof DerError)
      throw new ChainError(`a certificate that cannot be read: ${error.message}`);
    throw error;
  }
}

function checkChain(
  ders: readonly Uint8Array[],
  { ca, crls, use }: { ca: readonly X509Certificate[]; crls: readonly Crl[]; use: Use },
): Known {
  const [leaf, ...intermediates] = ders.map(certificateOf);
  if (leaf === undefined) throw new ChainError('no certificate');
  const issuers = [...ca, ...intermediates];
  const path = [leaf];
  for (let last = leaf; !isSelfIssued(last); ) {
    const child = last;
    const issuer = issuers.find((one) => hasIssued(one, child));
    if (issuer === undefined) throw new ChainError(`"${nameOf(child)}" is of no CA that is known here`);
    if (path.length >= MAX_DEPTH) throw new ChainError('the chain is too long');
    path.push(issuer);
    last = issuer;
  }
  const root = path.at(-1);
  if (path.length < 2 || !ca.some((one) => root?.raw.equals(one.raw)))
    throw new ChainError(`"${nameOf(leaf)}" is of another CA`);
  for (const [depth, one] of path.entries()) checkExtensions(one, { depth, use });
  for (const [depth, one] of path.entries()) checkRevocation(one, path[depth + 1] ?? one, crls);
  return {
    leaf,
    from: Math.max(...path.map(({ validFrom }) => Date.parse(validFrom))),
    to: Math.min(...path.map(({ validTo }) => Date.parse(validTo))),
  };
}

function certificateOf(der: Uint8Array): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(der);
    // Node reads it only when it is asked for.
    void certificate.publicKey;
  } catch {
    throw new ChainError('not a certificate with a key');
  }
  // PEM, or something behind the end, would be read as well.
  if (Buffer.compare(certificate.raw, der) !== 0) throw new ChainError('not a certificate in DER');
  return certificate;
}

const isSelfIssued = (one: X509Certificate) => Buffer.compare(subjectOf(one), subjectOf(one, 'issuer')) === 0;

function hasIssued(issuer: X509Certificate, child: X509Certificate): boolean {
  return issuer.ca && child.checkIssued(issuer) && isSignedSafely(child) && child.verify(issuer.publicKey);
}

function checkDates({ leaf, from, to }: Known, now: number): void {
  if (!(now >= from)) throw new ChainError(`"${nameOf(leaf)}" is not valid yet`);
  if (!(now <= to)) throw new ChainError(`"${nameOf(leaf)}" has expired`);
}

/** Of each CA one list that has not expired is enough, as for loading and for OpenSSL; what the others revoke stays revoked. */
function checkCrlDates(crls: readonly Crl[], now: number): void {
  const isFresh = ({ nextUpdate }: Crl) => nextUpdate === undefined || nextUpdate >= now;
  for (const { issuer, thisUpdate } of crls) {
    if (thisUpdate > now) throw new ChainError('a CRL is not valid yet here');
    if (!crls.some((one) => one.issuer === issuer && isFresh(one)))
      throw new ChainError('a CRL has expired here');
  }
}

function checkExtensions(one: X509Certificate, { depth, use }: { depth: number; use: Use }): void {
  const found = extensionsOf(one.raw);
  if (found.unknown.length > 0)
    throw new ChainError(`"${nameOf(one)}" has an extension that is not known: ${found.unknown[0]}`);
  if (!hasSafeKey(one)) throw new ChainError(`the key of "${nameOf(one)}" is too weak, or of another kind`);
  if (found.purposes !== undefined && !found.purposes.includes(use))
    throw new ChainError(`"${nameOf(one)}" is not for ${use}`);
  if (depth === 0) {
    if (one.ca) throw new ChainError(`"${nameOf(one)}" is a CA`);
    if (found.keyUsage !== undefined && !found.keyUsage.digitalSignature)
      throw new ChainError(`"${nameOf(one)}" may sign nothing`);
    return;
  }
  if (found.keyUsage !== undefined && !found.keyUsage.keyCertSign)
    throw new ChainError(`"${nameOf(one)}" may sign no certificate`);
  // Between it and the leaf.
  if (found.pathLength !== undefined && depth - 1 > found.pathLength)
    throw new ChainError(`"${nameOf(one)}" may have no CA below it`);
}

function checkRevocation(one: X509Certificate, issuer: X509Certificate, crls: readonly Crl[]): void {
  const own = crls.filter((crl) => crl.issuer.raw.equals(issuer.raw));
  if (own.length === 0) throw new ChainError(`no CRL of "${nameOf(issuer)}" is known here`);
  const serial = serialNumber(one.serialNumber);
  if (own.some(({ revoked }) => revoked.has(serial)))
    throw new ChainError(`"${nameOf(one)}" has been revoked`);
}

/** Node gives none for an empty name, whatever its types say. */
const nameOf = ({ subject = '' }: Partial<X509Certificate>) => subject.replaceAll('\n', ', ').slice(0, 200);
