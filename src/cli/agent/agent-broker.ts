/** An agent that controllers reach through brokers (NATS), beside its port or instead of it. */
import type { Answering } from '../../agent/discovery/answering.ts';
import { layoutOf } from '../../agent/layout.ts';
import type { AgentConfig } from '../../config/agent-config.ts';
import type { Identity } from '../../pki/identity.ts';
import type { HttpsListener } from '../../transport/https/listener/listener.ts';
import type { BrokerConnection } from '../../transport/nats/connection.ts';
import type { AgentService } from '../../transport/transport.ts';
import { systemClock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { version } from '../version.ts';
import { puppetOptionsOf } from './agent-parts.ts';
import type { AgentMainOptions } from './agent-settings.ts';

/** The longest wait before a further attempt: when a broker is back, a whole fleet wants to be. */
const MAX_WAIT_MS = 120_000;

/** A broker that floods an agent must not take the host's processor. */
const SHARE = 0.2;

/** What an agent answers with. */
export interface Answers {
  agent: AgentService;
  config: AgentConfig;
  options: AgentMainOptions;
  log: Log;
}

export interface AtBroker {
  /** For what the agent reports of it. */
  readonly link: BrokerConnection;
  setIdentity(identity: Identity): void;
  close(): Promise<void>;
}

/**
 * Connects in the background; undefined if agent.yaml names no brokers. Throws `KickError` `config` for a certname that no
 * broker can carry. Loaded before the agent serves: an upgrade must not mix two versions later.
 */
export async function listenAtBroker(
  main: Answers,
  identity: Identity,
  listener: Pick<HttpsListener, 'accept'>,
): Promise<AtBroker | undefined> {
  const { log } = main;
  const { nats } = main.config;
  if (nats === undefined) return undefined;
  const { BrokerConnection } = await import('../../transport/nats/connection.ts');
  const { acceptStreams } = await import('../../transport/nats/acceptor.ts');
  const { servers, tls } = nats;
  const link = new BrokerConnection({ servers, tls, identity, maxWaitMs: MAX_WAIT_MS, share: SHARE, log });
  acceptStreams(link, identity.certname, (stream) => listener.accept(stream));
  (await import('../../transport/nats/hellos.ts')).sayHello(link, identity.certname);
  const { answerQuestions } = await import('../../transport/nats/crowd.ts');
  const answering = await openAnswering(main, identity);
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

/** Discovery. Puppet is asked for the facts now if they are not known: the first question should not have to wait. */
async function openAnswering(
  { agent, config, options, log }: Answers,
  identity: Identity,
): Promise<Answering> {
  const { createAnswering } = await import('../../agent/discovery/answering.ts');
  const { createHostFacts, MAX_FACTS_BYTES } = await import('../../agent/discovery/host-facts.ts');
  const { askFacts } = await import('../../agent/puppet/ask-facts.ts');
  const { runner } = config;
  const puppet = { isService: runner === 'puppet-agent', maxBytes: MAX_FACTS_BYTES };
  const ask = () => askFacts(puppetOptionsOf(config, options, log), puppet);
  const { facts } = createHostFacts({
    path: layoutOf(options.stateDir, options.runDir).facts,
    ask: runner === 'command' ? undefined : ask,
    clock: systemClock,
    log,
  });
  void facts();
  return createAnswering({ identity, service: agent, facts, version: version(), clock: systemClock, log });
}
