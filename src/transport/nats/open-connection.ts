/** One connection to one broker. */
import { isIP } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, type SecureContext } from 'node:tls';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { NatsConnectionImpl, setTransportFactory } from '@nats-io/nats-core/internal';
import { sleep } from '../../util/clock.ts';
import type { Message } from './link.ts';
import { type ClientOptions, ServerSocket } from './server-socket.ts';

export interface OpenOptions {
  /** Undefined: without TLS. */
  secureContext: SecureContext | undefined;
  /** For the server's own log. */
  name: string;
  /** For TCP, TLS and the server's welcome; defaults to 10 s. */
  timeoutMs?: number;
  /** The most of our time that what comes from it may take, from 0 to 1; defaults to all of it. */
  share?: number;
  /** Called with the end of the server's certificate, milliseconds since 1970. */
  onCertificate?: (ends: number) => void;
}

const ATTEMPT_MS = 10_000;
/** For the first answer of a server that has let us in. */
const ANSWER_MS = 10_000;
/** A server that answers no ping for so long, twice, is given up. */
const PING_MS = 30_000;

/** `server`: `host:port`. Throws what the client throws: see `attemptReason`. */
export function openConnection(
  server: string,
  { secureContext, name, timeoutMs = ATTEMPT_MS, share = 1, onCertificate }: OpenOptions,
): Promise<NatsConnection> {
  const host = server.slice(0, server.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
  const tls: ConnectionOptions | null =
    secureContext === undefined
      ? null
      : {
          secureContext,
          rejectUnauthorized: true,
          ...(isIP(host) === 0 && { servername: host }),
          // For an address, Node would check the certificate for "localhost".
          checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate),
        };
  setTransportFactory({ factory: () => new ServerSocket() });
  const options: ClientOptions = {
    share,
    ...(onCertificate !== undefined && { onCertificate }),
    servers: [server],
    name,
    tls: tls as object | null, // ServerSocket hands them to node:tls as they are
    timeout: timeoutMs,
    reconnect: false,
    pingInterval: PING_MS,
    ignoreClusterUpdates: true,
    noAsyncTraces: true,
  };
  return NatsConnectionImpl.connect(options);
}

/** Whether the server answers before it, or time, ends the connection. */
export async function answers(connection: NatsConnection): Promise<boolean> {
  const over = new AbortController();
  try {
    return await Promise.race([
      connection.flush().then(
        () => true,
        () => false,
      ),
      connection.closed().then(() => false), // which leaves the flush without an end
      sleep(ANSWER_MS, over.signal).then(() => false),
    ]);
  } finally {
    over.abort();
  }
}

export interface Subscription {
  subject: string;
  onMessage: (message: Message) => void;
  /** At the connection that there is. */
  end?: () => void;
}

export function subscribeAt(connection: NatsConnection, subscription: Subscription): void {
  const { subject, onMessage } = subscription;
  const made = connection.subscribe(subject, {
    callback(error, message) {
      if (error === null || error === undefined) onMessage(toMessage(message));
    },
  });
  subscription.end = () => made.unsubscribe();
}

function toMessage({ subject, data, reply, headers }: Msg): Message {
  const isUndeliverable = data.byteLength === 0 && headers?.code === 503;
  return { subject, data, isUndeliverable, ...(reply !== undefined && reply !== '' && { reply }) };
}
