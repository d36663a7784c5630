/** Where a connection comes from. */
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';

export interface Origin {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  /** Where it has arrived. */
  readonly localAddress?: string | undefined;
}

/** What Node keeps below a TLS connection (no public names): the socket, or the stream that is none. */
interface Below {
  _parent?: Origin;
  _handle?: { _parentWrap?: { stream?: Origin } } | null;
}

const known = new WeakMap<Duplex, Origin>();

/**
 * Address and port of the other end, and the address here. After a failed handshake the TLS socket no longer has them, and one that runs over
 * a stream (transport/nats) never has.
 */
export function originOf(socket: TLSSocket | Duplex): Origin {
  const before = known.get(socket);
  if (before !== undefined) return before;
  const { remoteAddress, remotePort, localAddress, _parent, _handle } = socket as TLSSocket & Below;
  if (remoteAddress !== undefined) return { remoteAddress, remotePort, localAddress };
  const stream = _handle?._parentWrap?.stream;
  if (stream === undefined) return _parent ?? {};
  known.set(socket, stream); // the handle goes first
  return stream;
}
