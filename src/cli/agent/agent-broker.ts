/** An agent that controllers reach through brokers (NATS), beside its port or instead of it. */
import type { NatsConfig } from '../../config/nats-config.ts';
import type { Identity } from '../../pki/identity.ts';
import type { HttpsListener } from '../../transport/https/listener/listener.ts';
import type { BrokerConnection } from '../../transport/nats/connection.ts';
import type { Log } from '../../util/log.ts';

/** The longest wait before a further attempt: when a broker is back, a whole fleet wants to be. */
const MAX_WAIT_MS = 120_000;

/**
 * Connects in the background; undefined if agent.yaml names no brokers. Throws `KickError` `config` for a certname that no
 * broker can carry. Loaded before the agent serves: an upgrade must not mix two versions later.
 */
export async function listenAtBroker(
  { nats, log }: { nats: NatsConfig | undefined; log: Log },
  identity: Identity,
  listener: Pick<HttpsListener, 'accept'>,
): Promise<BrokerConnection | undefined> {
  if (nats === undefined) return undefined;
  const { BrokerConnection } = await import('../../transport/nats/connection.ts');
  const { acceptStreams } = await import('../../transport/nats/acceptor.ts');
  const { servers, tls } = nats;
  const link = new BrokerConnection({ servers, tls, identity, maxWaitMs: MAX_WAIT_MS, log });
  acceptStreams(link, identity.certname, (stream) => listener.accept(stream));
  return link;
}
