/** Why a connection to a broker failed, in words. */
import { systemCode } from '../../errors.ts';
import { certificateWords } from '../tls/certificate-words.ts';

/** One line. */
export function attemptReason(error: unknown): string {
  const cause = innermost(error);
  const message = cause instanceof Error ? cause.message : String(cause);
  const code = systemCode(cause) ?? '';
  if (/authorization violation/i.test(message)) {
    return 'it knows no user for our certificate (Authorization Violation): see kick nats config';
  }
  if (message === 'TIMEOUT' || message === 'timeout') return 'it does not answer';
  if (code === 'ECONNREFUSED' || message === 'connection refused') return 'nothing listens there';
  if (code === 'ENOTFOUND') return 'the name does not resolve';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'it closed the connection';
  if (isVerdict(code)) return certificateWords(code, message);
  if (code.startsWith('ERR_SSL_')) return tlsWords(cause as { reason?: string }, code);
  // A server may say anything.
  return message.slice(0, MAX_CHARACTERS).split('\n', 1)[0] ?? '';
}

const MAX_CHARACTERS = 200;

/** OpenSSL's `reason`, as in "tlsv1 alert protocol version". */
function tlsWords({ reason = '' }: { reason?: string }, code: string): string {
  if (/protocol version|unsupported protocol/.test(reason)) return 'it does not speak TLS 1.3';
  if (/alert.*(certificate|unknown ca)/.test(reason)) return `it does not accept our certificate: ${reason}`;
  return `TLS with it fails: ${reason === '' ? code : reason}`;
}

function innermost(error: unknown): unknown {
  let inner = error;
  for (let depth = 0; depth < 4 && inner instanceof Error && inner.cause instanceof Error; depth++)
    inner = inner.cause;
  return inner;
}

/** OpenSSL's verdicts on a chain, as Node names them, and Node's own on a name. */
const isVerdict = (code: string) =>
  code === 'ERR_TLS_CERT_ALTNAME_INVALID' || /^(CERT_|CRL_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_)/.test(code);
