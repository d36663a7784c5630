/** Client certificates on connections that are kept open: judged by the CAs and CRLs of now, not by those of their handshake. */
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Identity } from '../../../pki/identity.ts';
import { type ChainVerifier, chainVerifier } from '../../../pki/peer-chain.ts';

export type Trust = Pick<Identity, 'ca' | 'crls' | 'denied'>;

/** What a server believes, and the certificate that browsers see. */
interface Shown {
  trust: Trust;
  own: { cert: string | Buffer };
}

export interface CurrentTrust {
  /** For connections from now on, and for the next request on those that are open. */
  set(shown: Shown): void;
  /** When the certificate that browsers see expires, milliseconds since 1970. */
  pageEnds(): number;
  /** A connection has been let in. */
  note(socket: TLSSocket): void;
  /** Whether the certificate (DER) of a connection is not believed any more. */
  refuses(certificate: Uint8Array, socket: TLSSocket): boolean;
}

export function openTrust(first: Shown): CurrentTrust {
  const letInBy = new WeakMap<TLSSocket, Trust>();
  let { trust, own } = first;
  let verifier: ChainVerifier | undefined;

  function isVerified(certificate: Uint8Array): boolean {
    verifier ??= chainVerifier(trust);
    try {
      verifier.verify([certificate], { now: Date.now(), use: 'clientAuth' });
      return true;
    } catch {
      return false;
    }
  }

  return {
    set(next) {
      ({ trust, own } = next);
      verifier = undefined;
    },
    pageEnds: () => Date.parse(new X509Certificate(own.cert).validTo),
    note: (socket) => void letInBy.set(socket, trust),
    refuses(certificate, socket) {
      if (trust.denied?.denies(certificate) !== undefined) return true;
      return letInBy.get(socket) !== trust && !isVerified(certificate);
    },
  };
}
