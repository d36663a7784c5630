/** Open connections from which a change of CAs, CRLs or `denied` has taken the ground. */
import type { TLSSocket } from 'node:tls';
import type { Identity } from '../../../pki/identity.ts';
import { type ChainVerifier, chainVerifier } from '../../../pki/peer-chain.ts';
import { peerCertificate, sentBy } from './peer-certificate.ts';

type Trust = Pick<Identity, 'ca' | 'crls' | 'denied'>;

/**
 * Those whose certificate was believed before, and is not any more. Judged by both, as `peer-chain` is stricter than the
 * OpenSSL that let them in. No dates count: a certificate that has merely come to its end keeps what it has begun, and
 * one that is revoked loses it, also if it or a CRL had ended before.
 */
export function distrusted(
  sockets: readonly TLSSocket[],
  { before, next }: { before: Trust; next: Trust },
): TLSSocket[] {
  const [old, current] = [chainVerifier(before), chainVerifier(next)];
  return sockets.filter((socket) => {
    const chain = chainOf(socket);
    return believes(old, chain) && !believes(current, chain);
  });
}

function believes(verifier: ChainVerifier, chain: readonly Uint8Array[]): boolean {
  try {
    verifier.verifyUndated(chain, { use: 'clientAuth' });
    return true;
  } catch {
    return false;
  }
}

/** With the intermediates that came with it; what is closed already has none. */
function chainOf(socket: TLSSocket): Buffer[] {
  const leaf = peerCertificate(socket);
  if (leaf === undefined) return [];
  const chain = [leaf];
  for (
    let last = sentBy(socket, true)?.issuerCertificate;
    last !== undefined;
    last = last.issuerCertificate
  ) {
    const { raw } = last;
    if (chain.some((one) => one.equals(raw))) break;
    chain.push(raw);
  }
  return chain;
}
