/** DESIGN 14, the helper: requests come from a listener that is not believed, and are verified here. It needs no key. */
import { ownVerdict } from '../../agent/admission/own-verdict.ts';
import type { Trust } from '../../pki/identity.ts';
import { loadTrust } from '../../pki/load-identity.ts';
import { serveListener } from '../../transport/https/helper/serve.ts';
import { systemClock } from '../../util/clock.ts';
import { boundedService } from './bounded-service.ts';
import type { Entrance } from './entrance.ts';

/** Answers at once: some start Puppet, or read its reports. */
const AT_ONCE = 8;

/** `path`: of the socket. */
export function helperEntrance(path: string): Entrance {
  return {
    load: loadTrust,
    async open({ agent, options, config, log }, trust) {
      const { socket } = options;
      const use = (current: Trust) => agent.setVerify(ownVerdict(current, systemClock));
      use(trust);
      const listener = await serveListener(boundedService(agent, AT_ONCE), { path, descriptor: socket, log });
      return {
        listener,
        where: { port: 0, socket: socket === undefined ? path : 'systemd' },
        idleMs: socket === undefined || config.idle_exit === false ? undefined : config.idle_exit,
        setIdentity: use,
        close: async () => {},
      };
    },
  };
}
