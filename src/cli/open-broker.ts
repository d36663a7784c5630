/** The controller's way through brokers (NATS). */
import type { NatsConfig } from '../config/nats-config.ts';
import type { OpenCrowd } from '../controller/site.ts';
import type { Identity } from '../pki/identity.ts';
import { anyReach } from '../transport/https/client/any-reach.ts';
import type { HttpsSenderOptions } from '../transport/https/client/client.ts';
import type { BrokerConnection } from '../transport/nats/connection.ts';
import type { NatsDialler } from '../transport/nats/dialler.ts';
import type { Hellos } from '../transport/nats/hellos.ts';
import type { Sender, StreamDialler } from '../transport/transport.ts';

interface OpenBroker {
  link: BrokerConnection;
  dialler: NatsDialler;
  hellos: Hellos;
}

/** The longest wait before a further attempt: somebody is waiting. */
const MAX_WAIT_MS = 5000;

export interface ThroughBrokers {
  reach: NonNullable<HttpsSenderOptions['reach']>;
  onHere: NonNullable<Sender['onHere']>;
  close(): void;
}

/** What a sender needs. Connects with the first host that is reached through a broker: most jobs have none. */
export function throughBrokers(nats: NatsConfig, identity: Identity): ThroughBrokers {
  let broker: Promise<OpenBroker> | undefined;
  const streams: StreamDialler = {
    async dial(certname, options) {
      broker ??= openBroker(nats, identity);
      return (await broker).dialler.dial(certname, options);
    },
  };
  return {
    reach: (options) => anyReach({ ...options, streams }),
    onHere({ certname, via = 'direct' }, listener) {
      if (via === 'direct' || broker === undefined) return () => {};
      let isOver = false;
      let end = () => {};
      void broker.then(({ hellos }) => {
        if (!isOver) end = hellos.on(certname, listener);
      });
      return () => {
        isOver = true;
        end();
      };
    },
    close: () => void broker?.then(({ link }) => link.close()),
  };
}

/** Throws like `tlsMaterial`; what goes wrong later, the dialler says. */
async function openBroker({ servers, tls }: NatsConfig, identity: Identity): Promise<OpenBroker> {
  const { BrokerConnection } = await import('../transport/nats/connection.ts');
  const { NatsDialler } = await import('../transport/nats/dialler.ts');
  const { Hellos } = await import('../transport/nats/hellos.ts');
  const link = new BrokerConnection({ servers, tls, identity, maxWaitMs: MAX_WAIT_MS });
  return { link, dialler: new NatsDialler(link, identity.certname), hellos: new Hellos(link) };
}

/** The way to all agents at once, for discovery. */
export const openCrowd: OpenCrowd = async ({ identity, nats: { servers, tls } }) => {
  const { BrokerConnection } = await import('../transport/nats/connection.ts');
  const { NatsCrowd } = await import('../transport/nats/crowd.ts');
  const link = new BrokerConnection({ servers, tls, identity, maxWaitMs: MAX_WAIT_MS });
  return { crowd: new NatsCrowd(link, identity.certname), close: () => void link.close() };
};
