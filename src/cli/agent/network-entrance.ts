/** An agent's own port, and its brokers. */
import type { Identity } from '../../pki/identity.ts';
import { loadIdentity } from '../../pki/load-identity.ts';
import { type HttpsListener, listenHttps } from '../../transport/https/listener/listener.ts';
import { listenAtBroker } from './agent-broker.ts';
import { portOptions } from './agent-settings.ts';
import type { Entrance } from './entrance.ts';
import type { Main } from './open-main.ts';
import { idleMsOf, socketProblem } from './systemd-socket.ts';

export const networkEntrance: Entrance<Identity> = {
  load: loadIdentity,
  async open(main, identity) {
    const { options, config, agent, log } = main;
    const { socket } = options;
    const listener = await listen(main, identity);
    const { port } = listener;
    const broker = await listenAtBroker(main, identity, listener);
    if (broker !== undefined) agent.setBroker(broker.link);
    const problem = socketProblem(socket, { config, port });
    if (problem !== undefined) log.warn({}, problem);
    return {
      listener,
      where: { port, ...(socket !== undefined && config.listen && { socket: 'systemd' }) },
      idleMs: idleMsOf(socket, config),
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
