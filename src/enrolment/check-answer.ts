/** What comes from `kick pki serve` is believed if our CA has signed it, and it is what was asked for. */
import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import * as v from 'valibot';
import { KickError, messageOf } from '../errors.ts';
import { crlsOf } from '../pki/chain-crls.ts';
import { numberOf, splitCrls } from '../pki/crl.ts';
import { commonNameOf, DerError } from '../pki/der.ts';
import { ChainError, chainVerifier } from '../pki/peer-chain.ts';
import { parseJson } from '../util/json.ts';
import { AnswerSchema, MAX_ANSWER_BYTES } from './wire.ts';

/** The CA whose fingerprint (SHA-256, hex) was handed over with the token. Throws `KickError` `pki`. */
export function pinnedCa(body: Buffer, fingerprint: string): X509Certificate {
  const doing = 'check the CA that the server names';
  const ca = certificateIn(body, doing);
  if (createHash('sha256').update(ca.raw).digest('hex') !== fingerprint || !ca.ca) {
    throw new KickError('pki', `${doing}: it is not the one that the token names`, {
      hint: 'somebody may stand between, or the token is of another CA: nothing was sent and nothing written',
    });
  }
  return ca;
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
 * The one CRL in an answer, PEM, if a CA has signed it and it is valid. `before`: what we have, which it must not be older
 * than. Throws `KickError` `pki`.
 */
export function checkedCrl(
  body: Buffer,
  { ca, now, before }: { ca: readonly X509Certificate[]; now: number; before?: string | undefined },
): string {
  const refused = (why: string) => new KickError('pki', `check the CRL that came back: ${why}`);
  try {
    const [pem, ...more] = splitCrls(body.toString('latin1'));
    if (pem === undefined || more.length > 0) throw refused('it is not one CRL');
    const [crl] = crlsOf([pem], ca);
    if (crl === undefined) throw refused('our CA has not signed it');
    if ((crl.nextUpdate ?? 0) <= now) throw refused('it has expired');
    const number = numberOf(pem) ?? 0n;
    if (before !== undefined && number < numberIn(before)) throw refused('it is older than ours');
    return pem;
  } catch (error) {
    if (error instanceof DerError) throw refused(error.message);
    throw error;
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

const ONE = /^\s*-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*$/;

function certificateIn(body: Buffer, doing: string): X509Certificate {
  const pem = body.toString('latin1');
  try {
    if (ONE.test(pem)) return new X509Certificate(pem);
  } catch {} // as anything else that is none
  throw new KickError('pki', `${doing}: it is not one certificate in PEM`);
}
