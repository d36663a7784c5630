/** The controller's way through brokers (NATS). */
import type { NatsConfig } from '../config/nats-config.ts';
import type { Identity } from '../pki/identity.ts';
import { anyReach } from '../transport/https/client/any-reach.ts';
import type { HttpsSenderOptions } from '../transport/https/client/client.ts';
import type { BrokerConnection } from '../transport/nats/connection.ts';
import type { NatsDialler } from '../transport/nats/dialler.ts';
import type { StreamDialler } from '../transport/transport.ts';

interface OpenBroker {
  link: BrokerConnection;
  dialler: NatsDialler;
}

/** The longest wait before a further attempt: somebody is waiting. */
const MAX_WAIT_MS = 5000;

/** What a sender needs. Connects with the first host that is reached through a broker: most jobs have none. */
export function throughBrokers(
  nats: NatsConfig,
  identity: Identity,
): { reach: NonNullable<HttpsSenderOptions['reach']>; close(): void } {
  let broker: Promise<OpenBroker> | undefined;
  const streams: StreamDialler = {
    async dial(certname, options) {
      broker ??= openBroker(nats, identity);
      return (await broker).dialler.dial(certname, options);
    },
  };
  return {
    reach: (options) => anyReach({ ...options, streams }),
    close: () => void broker?.then(({ link }) => link.close()),
  };
}

/** Throws like `tlsMaterial`; what goes wrong later, the dialler says. */
async function openBroker({ servers, tls }: NatsConfig, identity: Identity): Promise<OpenBroker> {
  const { BrokerConnection } = await import('../transport/nats/connection.ts');
  const { NatsDialler } = await import('../transport/nats/dialler.ts');
  const link = new BrokerConnection({ servers, tls, identity, maxWaitMs: MAX_WAIT_MS });
  return { link, dialler: new NatsDialler(link, identity.certname) };
}
