/** The controller's way through brokers (NATS). */
import type { NatsConfig } from '../config/nats-config.ts';
import type { OpenCrowd } from '../controller/site.ts';
import type { Identity } from '../pki/identity.ts';
import { anyReach } from '../transport/https/client/any-reach.ts';
import type { HttpsSenderOptions } from '../transport/https/client/client.ts';
import type { BrokerConnection } from '../transport/nats/connection.ts';
import type { NatsDialler } from '../transport/nats/dialler.ts';
import type { Hellos } from '../transport/nats/hellos.ts';
import type { Sender, StreamDialler, Target } from '../transport/transport.ts';

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

/** Connections to brokers that the senders of a process share. */
export interface Brokers {
  /** What a sender needs. Connects with the first host that is reached through a broker: most jobs have none. */
  through(nats: NatsConfig, identity: Identity): ThroughBrokers;
  /** The way to all agents at once, for one question. */
  crowd: OpenCrowd;
  /** From now on none is kept. */
  close(): Promise<void>;
}

interface Shared {
  readonly key: string;
  readonly identity: Identity;
  readonly broker: Promise<OpenBroker>;
  users: number;
  timer?: NodeJS.Timeout;
}

/** `keepMs`: milliseconds for which a connection that nobody uses is kept for the next sender. */
export function createBrokers({ keepMs }: { keepMs: number }): Brokers {
  let shared: Shared | undefined;
  let isClosing = false;

  const end = async (one: Shared) => {
    if (shared === one) shared = undefined;
    clearTimeout(one.timer);
    await (await one.broker).link.close();
  };
  const take = (nats: NatsConfig, identity: Identity): Shared => {
    const key = JSON.stringify(nats);
    // Another one ends with its last user.
    if (shared?.key !== key || shared.identity !== identity)
      shared = { key, identity, broker: openBroker(nats, identity), users: 0 };
    clearTimeout(shared.timer);
    shared.users += 1;
    return shared;
  };
  const giveBack = (one: Shared) => {
    one.users -= 1;
    if (one.users > 0) return;
    if (keepMs === 0 || isClosing || shared !== one) void end(one);
    else one.timer = setTimeout(() => void end(one), keepMs).unref();
  };

  return {
    through(nats, identity) {
      let taken: Shared | undefined;
      const streams: StreamDialler = {
        async dial(certname, options) {
          taken ??= take(nats, identity);
          return (await taken.broker).dialler.dial(certname, options);
        },
      };
      return {
        reach: (options) => anyReach({ ...options, streams }),
        onHere: (target, listener) => (taken === undefined ? () => {} : hearOf(target, { taken, listener })),
        close() {
          if (taken !== undefined) giveBack(taken);
        },
      };
    },
    async crowd({ nats, identity }) {
      const taken = take(nats, identity);
      return crowdAt(await taken.broker, { identity, onClose: () => giveBack(taken) });
    },
    async close() {
      isClosing = true;
      if (shared?.users === 0) await end(shared);
    },
  };
}

async function crowdAt(
  { link }: OpenBroker,
  { identity, onClose }: { identity: Identity; onClose: () => void },
): ReturnType<OpenCrowd> {
  const { NatsCrowd } = await import('../transport/nats/crowd.ts');
  const crowd = new NatsCrowd(link, identity.certname);
  return {
    crowd,
    close() {
      crowd.close();
      onClose();
    },
  };
}

function hearOf(
  { certname, via = 'direct' }: Target,
  { taken, listener }: { taken: Shared; listener: () => void },
): () => void {
  if (via === 'direct') return () => {};
  let isOver = false;
  let end = () => {};
  void taken.broker.then(({ hellos }) => {
    if (!isOver) end = hellos.on(certname, listener);
  });
  return () => {
    isOver = true;
    end();
  };
}

/** A connection for as long as somebody waits. Throws like `tlsMaterial`. */
export async function openLink({ servers, tls }: NatsConfig, identity: Identity): Promise<BrokerConnection> {
  const { BrokerConnection } = await import('../transport/nats/connection.ts');
  return new BrokerConnection({ servers, tls, identity, maxWaitMs: MAX_WAIT_MS });
}

/** Throws like `tlsMaterial`; what goes wrong later, the dialler says. */
async function openBroker(nats: NatsConfig, identity: Identity): Promise<OpenBroker> {
  const { NatsDialler } = await import('../transport/nats/dialler.ts');
  const { Hellos } = await import('../transport/nats/hellos.ts');
  const link = await openLink(nats, identity);
  return { link, dialler: new NatsDialler(link, identity.certname), hellos: new Hellos(link) };
}
