/** OpenSSL's verdicts on a server's certificate (X509_V_ERR_*), for people. */

const NOT_OURS = 'the certificate there is not of our CA';
// Node lets OpenSSL continue after an unknown issuer; the missing CRL is then the last verdict.
const NO_CRL = 'the certificate there is not of our CA, or we have no CRL of its CA';
const OLD_CRL = 'the certificate there cannot be checked: our CRL is out of date';

const WORDS: Record<string, string> = {
  CERT_HAS_EXPIRED: 'the certificate there has expired',
  CERT_NOT_YET_VALID: 'the certificate there is not valid yet: is a clock wrong?',
  CERT_REVOKED: 'the certificate there is revoked',
  CRL_HAS_EXPIRED: OLD_CRL,
  CRL_NOT_YET_VALID: 'the certificate there cannot be checked: our CRL is not valid yet',
  UNABLE_TO_GET_CRL: NO_CRL,
  UNABLE_TO_GET_CRL_ISSUER: NO_CRL,
  CRL_SIGNATURE_FAILURE: NO_CRL,
  DEPTH_ZERO_SELF_SIGNED_CERT: NOT_OURS,
  SELF_SIGNED_CERT_IN_CHAIN: NOT_OURS,
  UNABLE_TO_GET_ISSUER_CERT: NOT_OURS,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: NOT_OURS,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: NOT_OURS,
  CERT_SIGNATURE_FAILURE: NOT_OURS,
  CERT_UNTRUSTED: NOT_OURS,
  INVALID_CA: NOT_OURS,
  INVALID_PURPOSE: 'the certificate there is of our CA but not for a server',
};

/** `code` is Node's name of the verdict; `message` is OpenSSL's, for verdicts without a name in Node. */
export function certificateWords(code: string, message: string): string {
  return WORDS[code] ?? `the certificate there does not verify: ${message}`;
}
