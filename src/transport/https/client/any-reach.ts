/** Connects to a host's agent: at its port, through a broker, or whichever works. */
import type { TLSSocket } from 'node:tls';
import { SendError, type StreamDialler, type Target } from '../../transport.ts';
import { connectTo, type DirectOptions, directReach, type Reach, type ReachCall } from './connect.ts';

export interface AnyReachOptions extends DirectOptions {
  /** Makes streams through a broker. */
  streams: StreamDialler;
}

/** With `auto`: milliseconds until a host is tried through the broker. */
const DIRECT_MS = 800;

export function anyReach({ streams, ...options }: AnyReachOptions): Reach {
  const { secureContext, denied, connectMs } = options;
  const direct = directReach(options);
  const quick = directReach({ ...options, connectMs: Math.min(DIRECT_MS, connectMs) });
  /** Hosts with `auto` whose port could not be reached. */
  const notDirect = new Set<string>();

  async function throughBroker(target: Target, { signal, onSocket }: ReachCall): Promise<TLSSocket> {
    const startedAt = performance.now();
    const stream = await streams.dial(target.certname, { withinMs: connectMs, signal });
    const leftMs = Math.max(1, connectMs - (performance.now() - startedAt));
    return connectTo(target, { secureContext, denied, connectMs: leftMs, onSocket, stream });
  }

  async function either(target: Target, call: ReachCall): Promise<TLSSocket> {
    const { certname } = target;
    let first: SendError | undefined;
    if (!notDirect.has(certname)) {
      try {
        return await quick(target, call);
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
    switch (target.via ?? 'direct') {
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
