/** Makes the TLS connection to a host's agent: at its port, through a broker, or whichever works. */
import type { SecureContext, TLSSocket } from 'node:tls';
import { SendError, type StreamDialler, type Target } from '../../transport.ts';
import { connectTo } from './connect.ts';

export interface ReachOptions {
  secureContext: SecureContext;
  /** For name, TCP or broker, and TLS together. */
  connectMs: number;
  /** Makes streams through a broker; without it every host is reached directly. */
  streams?: StreamDialler | undefined;
}

export interface ReachCall {
  signal: AbortSignal;
  /** Called with each socket at once, so that the caller can destroy it. */
  onSocket: (socket: TLSSocket) => void;
}

/** Throws `SendError`, never `arrived`. */
export type Reach = (target: Target, call: ReachCall) => Promise<TLSSocket>;

/** With `auto`: milliseconds until a host is tried through the broker. */
const DIRECT_MS = 800;

export function createReach({ secureContext, connectMs, streams }: ReachOptions): Reach {
  /** Hosts with `auto` whose port could not be reached. */
  const notDirect = new Set<string>();

  const direct = (target: Target, { onSocket }: ReachCall, withinMs = connectMs) =>
    connectTo(target, { secureContext, connectMs: withinMs, onSocket });

  async function throughBroker(target: Target, { signal, onSocket }: ReachCall): Promise<TLSSocket> {
    const startedAt = performance.now();
    if (streams === undefined) throw noBroker();
    const stream = await streams.dial(target.certname, { withinMs: connectMs, signal });
    const leftMs = Math.max(1, connectMs - (performance.now() - startedAt));
    return connectTo(target, { secureContext, connectMs: leftMs, onSocket, stream });
  }

  async function either(target: Target, call: ReachCall): Promise<TLSSocket> {
    const { certname } = target;
    let first: SendError | undefined;
    if (!notDirect.has(certname)) {
      try {
        return await direct(target, call, Math.min(DIRECT_MS, connectMs));
      } catch (error) {
        if (!isUnreachable(error)) throw error;
        first = error;
      }
    }
    try {
      const socket = await throughBroker(target, call);
      notDirect.add(certname);
      return socket;
    } catch (error) {
      if (!isUnreachable(error)) throw error;
      notDirect.delete(certname);
      // It may only have been slow.
      if (first === undefined || first.failure === 'no-answer')
        return await withReason(direct(target, call), error);
      throw neither(first, error);
    }
  }

  return (target, call) => {
    switch (streams === undefined && target.via === 'auto' ? 'direct' : (target.via ?? 'direct')) {
      case 'direct':
        return direct(target, call);
      case 'nats':
        return throughBroker(target, call);
      case 'auto':
        return either(target, call);
    }
  };
}

/** The connection, or its failure together with that of the other way. */
async function withReason(connection: Promise<TLSSocket>, other: SendError): Promise<TLSSocket> {
  try {
    return await connection;
  } catch (error) {
    throw isUnreachable(error) ? neither(error, other) : error;
  }
}

function neither(direct: SendError, byBroker: SendError): SendError {
  const message = `${direct.message}; by NATS: ${byBroker.message}`;
  return new SendError(direct.failure, message, { arrived: false, cause: direct.cause });
}

function isUnreachable(error: unknown): error is SendError {
  if (!(error instanceof SendError)) return false;
  return ['no-such-name', 'connection-refused', 'no-answer'].includes(error.failure);
}

function noBroker(): SendError {
  return new SendError('no-answer', 'controller.yaml names no NATS servers', { arrived: false });
}
