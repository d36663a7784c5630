/** An agent, or the listener of one, that controllers reach through brokers (NATS), beside its port or instead of it. */
import type { Answering } from '../../agent/discovery/answering.ts';
import type { NatsConfig } from '../../config/nats-config.ts';
import type { Identity } from '../../pki/identity.ts';
import type { HttpsListener } from '../../transport/https/listener/listener.ts';
import type { BrokerConnection } from '../../transport/nats/connection.ts';
import type { Log } from '../../util/log.ts';

/** The longest wait before a further attempt: when a broker is back, a whole fleet wants to be. */
const MAX_WAIT_MS = 120_000;

/** A broker that floods an agent must not take the host's processor. */
const SHARE = 0.2;

export interface AtBrokerOptions {
  identity: Identity;
  /** Takes the streams. */
  listener: Pick<HttpsListener, 'accept'>;
  /** Discovery. */
  answering: Answering;
  log: Log;
}

export interface AtBroker {
  /** For what the agent reports of it. */
  readonly link: BrokerConnection;
  setIdentity(identity: Identity): void;
  close(): Promise<void>;
}

/**
 * Connects in the background. Throws `KickError` `config` for a certname that no broker can carry. Loaded before the agent
 * serves: an upgrade must not mix two versions later.
 */
export async function listenAtBroker(
  { servers, tls }: NatsConfig,
  { identity, listener, answering, log }: AtBrokerOptions,
): Promise<AtBroker> {
  const { BrokerConnection } = await import('../../transport/nats/connection.ts');
  const { acceptStreams } = await import('../../transport/nats/acceptor.ts');
  const link = new BrokerConnection({ servers, tls, identity, maxWaitMs: MAX_WAIT_MS, share: SHARE, log });
  acceptStreams(link, identity.certname, (stream) => listener.accept(stream));
  (await import('../../transport/nats/hellos.ts')).sayHello(link, identity.certname);
  const { answerQuestions } = await import('../../transport/nats/crowd.ts');
  answerQuestions(link, identity.certname, (question) => answering.answer(question));
  return {
    link,
    setIdentity(changed) {
      link.setIdentity(changed);
      answering.setIdentity(changed);
    },
    close: () => link.close(),
  };
}
