/** What comes from `kick pki serve` is believed if our CA has signed it, and it is what was asked for. */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import { KickError, messageOf } from '../errors.ts';
import { crlsOf } from '../pki/chain-crls.ts';
import { numberOf, readCrl, splitCrls } from '../pki/crl.ts';
import { commonNameOf, DerError } from '../pki/der.ts';
import { nameFor } from '../pki/identity-files.ts';
import { ChainError, chainVerifier } from '../pki/peer-chain.ts';
import { parseJson } from '../util/json.ts';
import { AnswerSchema, MAX_ANSWER_BYTES } from './wire.ts';

/** Two while the CA is rotated, and some room. */
const MAX_CAS = 4;

/** The CA among those that the server names whose fingerprint (SHA-256, hex) was handed over with the token. Throws `KickError` `pki`. */
export function pinnedCa(body: Buffer, fingerprint: string): X509Certificate {
  const doing = 'check the CA that the server names';
  const ca = certificatesIn(body, doing).find(
    ({ raw }) => createHash('sha256').update(raw).digest('hex') === fingerprint,
  );
  if (ca === undefined || !ca.ca) {
    throw new KickError('pki', `${doing}: it is not the one that the token names`, {
      hint: 'somebody may stand between, or the token is of another CA: nothing was sent and nothing written',
    });
  }
  return ca;
}

/**
 * The CAs in an answer that came over a connection with a CA that we trust, the one that signs first. `keep`: a certificate of
 * whose CA must be among them; our own, so that we do not shut ourselves out. Throws `KickError` `pki`.
 */
export function checkedCas(
  body: Buffer,
  { keep, now }: { keep: X509Certificate; now: number },
): X509Certificate[] {
  const doing = 'check the CAs that came back';
  const cas = certificatesIn(body, doing);
  const wrong = cas.find((one) => !isRoot(one) || Date.parse(one.validTo) <= now);
  if (wrong !== undefined) throw new KickError('pki', `${doing}: "${nameFor(wrong)}" is no CA, or is over`);
  const isKept = isRoot(keep)
    ? cas.some((one) => one.raw.equals(keep.raw))
    : cas.some((one) => isIssuedBy(keep, one));
  if (isKept) return cas;
  throw new KickError('pki', `${doing}: the one of our certificate is not among them`, {
    hint: 'this host missed a rotation of the CA: on the controller, kick pki token NAME --replace; then kick agent enroll --force',
  });
}

const isRoot = (one: X509Certificate) => one.ca && isIssuedBy(one, one);

function isIssuedBy(one: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return one.checkIssued(issuer) && one.verify(issuer.publicKey);
  } catch {
    return false; // a key of an unknown kind
  }
}

export interface Expected {
  ca: readonly X509Certificate[];
  crls: readonly string[];
  name: string;
  key: KeyObject;
  /** Milliseconds since 1970. */
  now: number;
}

/** The certificate in an answer, PEM. Throws `KickError` `pki`. */
export function checkedCertificate(body: Buffer, { ca, crls, name, key, now }: Expected): string {
  const doing = 'check the certificate that came back';
  try {
    const { certificate: pem } = v.parse(AnswerSchema, parseJson(body, { maxBytes: MAX_ANSWER_BYTES }));
    const certificate = certificateIn(Buffer.from(pem), doing);
    if (commonNameOf(certificate.raw) !== name) throw new ChainError('it is for another name');
    if (certificate.checkHost(name, EXACT) === undefined) throw new ChainError('its DNS names lack the name');
    if (!certificate.checkPrivateKey(key)) throw new ChainError('it is for another key');
    const verifier = chainVerifier({ ca, crls });
    for (const use of ['serverAuth', 'clientAuth'] as const) verifier.verify([certificate.raw], { now, use });
    return certificate.toString();
  } catch (error) {
    if (error instanceof KickError) throw error;
    throw new KickError('pki', `${doing}: ${messageOf(error)}`, { cause: error });
  }
}

const EXACT = { subject: 'never', wildcards: false, partialWildcards: false } as const;

/**
 * The CRLs in an answer, PEM: one of each CA, signed by it and valid; others are left out. `before`: what we have, which none
 * must be older than, and which stays for a CA of which none came. Throws `KickError` `pki`.
 */
export function checkedCrls(
  body: Buffer,
  { ca, now, before }: { ca: readonly X509Certificate[]; now: number; before?: string | undefined },
): string {
  const refused = (why: string) => new KickError('pki', `check the CRL that came back: ${why}`);
  try {
    const own = splitCrls(body.toString('latin1')).filter((pem) => {
      const [crl] = crlsOf([pem], ca);
      if (crl !== undefined && (crl.nextUpdate ?? 0) <= now) throw refused('it has expired');
      return crl !== undefined;
    });
    const missing = ca.filter((one) => !isAmong(own, one));
    const kept = splitCrls(before ?? '').filter((pem) => missing.some((one) => isAmong([pem], one)));
    const isWhole = missing.every((one) => isAmong(kept, one));
    if (own.length === 0 || own.length > ca.length || !isWhole) throw refused('our CA has not signed it');
    for (const pem of own)
      if ((numberOf(pem) ?? 0n) < numberBefore(pem, before)) throw refused('it is older than ours');
    return [...own, ...kept].join('');
  } catch (error) {
    if (error instanceof DerError) throw refused(error.message);
    throw error;
  }
}

/** Whether one of them is the CA's. What is damaged is nobody's. */
function isAmong(pems: readonly string[], ca: X509Certificate): boolean {
  return pems.some((pem) => {
    try {
      return crlsOf([pem], [ca]).length > 0;
    } catch {
      return false;
    }
  });
}

/** Of our own CRL of the same issuer. */
function numberBefore(pem: string, before = ''): bigint {
  const { issuer } = readCrl(pem);
  return splitCrls(before).reduce((most, one) => {
    const number = isOf(one, issuer) ? numberIn(one) : 0n;
    return number > most ? number : most;
  }, 0n);
}

function isOf(pem: string, issuer: Uint8Array): boolean {
  try {
    return Buffer.compare(readCrl(pem).issuer, issuer) === 0;
  } catch {
    return false;
  }
}

/** 0 for what is no CRL any more: any is better. */
function numberIn(pem: string): bigint {
  try {
    return numberOf(pem) ?? 0n;
  } catch {
    return 0n;
  }
}

const ONE = /^-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----$/;

function certificateIn(body: Buffer, doing: string): X509Certificate {
  const [certificate, ...more] = certificatesIn(body, doing);
  if (certificate !== undefined && more.length === 0) return certificate;
  throw new KickError('pki', `${doing}: it is not one certificate in PEM`);
}

/** Throws `KickError` `pki` for anything but a few certificates. */
function certificatesIn(body: Buffer, doing: string): X509Certificate[] {
  const blocks = body
    .toString('latin1')
    .trim()
    .split(/(?<=-----END CERTIFICATE-----)\s+/);
  try {
    if (blocks.length <= MAX_CAS && blocks.every((one) => ONE.test(one)))
      return blocks.map((one) => new X509Certificate(one));
  } catch {} // as anything else that is none
  throw new KickError('pki', `${doing}: it is not certificates in PEM`);
}
