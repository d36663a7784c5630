/** An agent's own port, and its brokers. */
import type { Identity } from '../../pki/identity.ts';
import { loadIdentity } from '../../pki/load-identity.ts';
import { type HttpsListener, listenHttps } from '../../transport/https/listener/listener.ts';
import { systemClock } from '../../util/clock.ts';
import { type AtBroker, listenAtBroker } from './agent-broker.ts';
import { portOptions } from './agent-settings.ts';
import type { Entrance } from './entrance.ts';
import type { Main } from './open-main.ts';
import { openVerdicts } from './open-verdicts.ts';
import { idleMsOf, socketProblem } from './systemd-socket.ts';

export const networkEntrance: Entrance<Identity> = {
  load: loadIdentity,
  async open(main, identity) {
    const { options, config, log } = main;
    const { socket } = options;
    const listener = await listen(main, identity);
    const { port } = listener;
    const broker = await openBroker(main, identity, listener);
    const problem = socketProblem(socket, { config, port });
    if (problem !== undefined) log.warn({}, problem);
    return {
      listener,
      where: { port, ...(socket !== undefined && config.listen && { socket: 'systemd' }) },
      idleMs: idleMsOf(socket, config),
      isBusy: () => false,
      setIdentity(changed) {
        listener.setIdentity(changed);
        broker?.setIdentity(changed);
      },
      close: async () => broker?.close(),
    };
  },
};

export function listen({ options, config, agent, log }: Main, identity: Identity): Promise<HttpsListener> {
  return listenHttps(agent, { identity, log, ...portOptions(config, options) });
}

/** Undefined if agent.yaml names no brokers. Throws `KickError` `config`. */
export async function openBroker(
  main: Main,
  identity: Identity,
  listener: Pick<HttpsListener, 'accept'>,
): Promise<AtBroker | undefined> {
  const { config, agent, log } = main;
  if (config.nats === undefined) return undefined;
  const { createAnswering } = await import('../../agent/discovery/answering.ts');
  const { verdictOn } = await openVerdicts(main, agent);
  const answering = createAnswering({ identity, greet: agent.greet, verdictOn, clock: systemClock, log });
  const broker = await listenAtBroker(config.nats, { identity, listener, answering, log });
  agent.setBroker(broker.link);
  return broker;
}
