/** One connection to one broker. */
import { type ConnectionOptions, checkServerIdentity, type SecureContext } from 'node:tls';
import { connect, type NatsConnection } from '@nats-io/transport-node';

export interface OpenOptions {
  /** Undefined: without TLS. */
  secureContext: SecureContext | undefined;
  /** For the server's own log. */
  name: string;
  /** For TCP, TLS and the server's welcome; defaults to 10 s. */
  timeoutMs?: number;
}

const ATTEMPT_MS = 10_000;
/** A server that answers no ping for so long, twice, is given up. */
const PING_MS = 30_000;

/** `server`: `host:port`. Throws what the client throws: see `attemptReason`. */
export function openConnection(
  server: string,
  { secureContext, name, timeoutMs = ATTEMPT_MS }: OpenOptions,
): Promise<NatsConnection> {
  const host = server.slice(0, server.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  const tls: ConnectionOptions | null =
    secureContext === undefined
      ? null
      : {
          secureContext,
          // For an address, the client would have Node check the certificate for "localhost".
          checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
        };
  return connect({
    servers: [server],
    name,
    tls: tls as object | null, // it hands them to node:tls as they are
    timeout: timeoutMs,
    reconnect: false,
    pingInterval: PING_MS,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  });
}
