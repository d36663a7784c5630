/** DESIGN 14, the helper: requests come from a listener that is not believed, and are verified here. It needs no key. */
import { ownVerdict } from '../../agent/admission/own-verdict.ts';
import type { Receiver } from '../../agent/discovery/receive-questions.ts';
import type { Trust } from '../../pki/identity.ts';
import { loadTrust } from '../../pki/load-identity.ts';
import type { Verdict } from '../../protocol/discovery.ts';
import { serveListener } from '../../transport/https/helper/serve.ts';
import type { AgentService } from '../../transport/transport.ts';
import { systemClock } from '../../util/clock.ts';
import { boundedService } from './bounded-service.ts';
import type { Entrance } from './entrance.ts';
import type { Main } from './open-main.ts';
import { openVerdicts, type Verdicts } from './open-verdicts.ts';

/** Answers at once: some start Puppet, or read its reports. */
const AT_ONCE = 8;

/** `path`: of the socket. */
export function helperEntrance(path: string): Entrance {
  return {
    load: loadTrust,
    async open(main, trust) {
      const { agent, options, config, log } = main;
      const { socket } = options;
      const service = boundedService(agent, AT_ONCE);
      const questions = await openQuestions(main, { service, trust });
      const use = (current: Trust) => {
        agent.setVerify(ownVerdict(current, systemClock));
        questions?.setTrust(current);
      };
      use(trust);
      const judge = questions?.receive;
      const listener = await serveListener(service, { path, descriptor: socket, log, judge });
      return {
        listener,
        where: { port: 0, socket: socket === undefined ? path : 'systemd' },
        idleMs: socket === undefined || config.idle_exit === false ? undefined : config.idle_exit,
        isBusy: () => questions?.isBusy() ?? false,
        setIdentity: use,
        close: async () => {},
      };
    },
  };
}

/** Discovery, if the listener has brokers: what it has not understood itself it does not hand on, and we verify it again. */
async function openQuestions(
  main: Main,
  { service, trust }: { service: AgentService; trust: Trust },
): Promise<(Receiver<Verdict> & Pick<Verdicts, 'isBusy'>) | undefined> {
  if (main.config.nats === undefined) return undefined;
  const { createReceiver } = await import('../../agent/discovery/receive-questions.ts');
  const { verdictOn: answer, isBusy } = await openVerdicts(main, service);
  const { log } = main;
  return { ...createReceiver({ trust, greet: service.greet, answer, clock: systemClock, log }), isBusy };
}
