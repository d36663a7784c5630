/** The certificate that OpenSSL has verified. */
import type { Duplex } from 'node:stream';
import { type DetailedPeerCertificate, TLSSocket } from 'node:tls';

const known = new WeakMap<Duplex, Buffer>();
const disowned = new WeakSet<Duplex>();

/**
 * The leaf, DER; undefined without one that was verified: no request gets here without a certificate of our CA. Not
 * getPeerX509Certificate: in Node 20 each call of it on a server's socket leaks 4.5 kB of memory.
 */
export function peerCertificate(socket: Duplex): Buffer | undefined {
  if (disowned.has(socket)) return undefined;
  const before = known.get(socket);
  if (before !== undefined || !(socket instanceof TLSSocket) || !socket.authorized) return before;
  const certificate = sentBy(socket, false)?.raw;
  if (certificate !== undefined) known.set(socket, certificate);
  return certificate;
}

/** What Node says of it: an empty object without a certificate, and null once the socket is closed. */
export function sentBy(socket: TLSSocket, isDetailed: boolean): Partial<DetailedPeerCertificate> | null {
  return socket.getPeerCertificate(isDetailed);
}

/** From now on nobody is at the other end. A socket that is destroyed hands on the request that came with the handshake. */
export function disown(socket: Duplex): void {
  disowned.add(socket);
}
