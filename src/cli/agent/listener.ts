/** DESIGN 14, the listener: TLS, the limits and the key, and nothing that starts a run. */
import { checkReader, isController } from '../../agent/admission/checks.ts';
import type { Policy } from '../../agent/admission/policy.ts';
import type { Received } from '../../agent/discovery/receive-questions.ts';
import type { AgentConfig } from '../../config/agent-config.ts';
import { identityPaths } from '../../config/identity.ts';
import { KickError } from '../../errors.ts';
import type { Identity } from '../../pki/identity.ts';
import { waitForIdentity, watchIdentity } from '../../pki/identity-store.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { relayApp } from '../../transport/https/helper/relay.ts';
import { type HttpsListener, listenWith } from '../../transport/https/listener/listener.ts';
import type { AgentService } from '../../transport/transport.ts';
import { systemClock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { quietLog } from '../../util/quiet-log.ts';
import { jsonLog } from '../json-log.ts';
import { version } from '../version.ts';
import { type AtBroker, listenAtBroker } from './agent-broker.ts';
import { agentPolicy } from './agent-policy.ts';
import {
  type AgentMainOptions,
  identityChoiceOf,
  portOptions,
  readConfig,
  reloadConfig,
} from './agent-settings.ts';
import { untilEnd } from './idle-exit.ts';
import { closeDebugger, earlySignal, endOnSignal } from './signals.ts';
import { idleMsOf } from './systemd-socket.ts';

/** Nothing of its own keeps it. */
const REST = { isBusy: () => false, isExpected: async () => false, prune: async () => {} };

/** `helper`: its socket. Runs like `agentMain`, and throws like it. */
export async function listenerMain(options: AgentMainOptions, helper: string): Promise<void> {
  const hangUp = earlySignal('SIGHUP');
  const config = await readConfig(options);
  checkListens(config);
  const log = jsonLog(config.log_level);
  const end = endOnSignal(log);
  const ending = end.signal;
  process.on('SIGUSR1', () => log.warn({}, 'asked to run now: the helper is who starts runs'));
  await closeDebugger(log);
  const watchOptions = { clock: systemClock, log, signal: ending };
  // It has no business with Puppet's programs and its folder of state.
  const paths = await identityPaths({ ...identityChoiceOf(config, options), pkiDirNamed: true });
  const identity = await waitForIdentity(paths, watchOptions);
  if (identity === undefined) return;
  const door = createDoor(agentPolicy(config), log);
  let broker: AtBroker | undefined;
  const brokerStatus = () => broker?.link.brokerStatus();
  const listener = await listenWith(
    door.service,
    { identity, log, ...portOptions(config, options) },
    async (parts) => relayApp(door.service, { ...parts, helper, ending, brokerStatus }),
  );
  broker = await openBroker(config, { identity, listener, helper, greet: door.service.greet, log });
  const onChange = (changed: Identity) => {
    listener.setIdentity(changed);
    broker?.setIdentity(changed);
  };
  const watch = watchIdentity(paths, identity, { ...watchOptions, onChange });
  hangUp.use(() => {
    void watch.reload();
    void reloadConfig(options, log, (changed) => door.setPolicy(agentPolicy(changed)));
  });
  const { certname } = identity;
  log.info({ port: listener.port, certname, helper, version: version() }, 'listening');
  await untilEnd({ ...watchOptions, rest: REST, listener, idleMs: idleMsOf(options.socket, config) });
  end.abort();
  if (options.socket !== undefined) await listener.leave();
  await listener.close();
  await broker?.close();
  log.info({}, 'stopped');
}

interface AtHelper {
  identity: Identity;
  listener: HttpsListener;
  /** Its socket. */
  helper: string;
  greet: AgentService['greet'];
  log: Log;
}

/** As of an agent in one process; what a question asks is judged by the helper, and the answer is signed here. */
async function openBroker(
  { nats }: AgentConfig,
  { identity, listener, helper, greet, log }: AtHelper,
): Promise<AtBroker | undefined> {
  if (nats === undefined) return undefined;
  const { createAnswering } = await import('../../agent/discovery/answering.ts');
  const { askVerdict } = await import('../../transport/https/helper/ask-verdict.ts');
  const verdictOn = ({ body }: Received) => askVerdict(helper, body);
  const answering = createAnswering({ identity, greet, verdictOn, clock: systemClock, log });
  return listenAtBroker(nats, { identity, listener, answering, log });
}

/** Who may come in; the helper judges again. */
interface Door {
  service: Pick<AgentService, 'isController' | 'greet'>;
  setPolicy(policy: Policy): void;
}

function createDoor(first: Policy, log: Log): Door {
  const quiet = quietLog(log, systemClock, { level: 'warn' });
  let policy = first;
  return {
    service: {
      isController: (certificate) => isController(certificate, policy),
      async greet(peer) {
        try {
          checkReader(peer, { policy });
        } catch (error) {
          if (error instanceof Refusal) {
            const { code, message: detail } = error;
            quiet({ audit: 'refused', peer: peer.address, code, detail }, `refused: ${code}`);
          }
          throw error;
        }
      },
    },
    setPolicy(next) {
      policy = next;
    },
  };
}

/** Throws `KickError` `config` for what a listener in front of a helper cannot do. */
export function checkListens({ listen, nats }: AgentConfig): void {
  if (listen || nats !== undefined) return;
  throw new KickError('config', 'listen for a helper: agent.yaml says "listen: false"', {
    hint: 'without a port or brokers (nats) there is nothing to separate: run kick-agent.service',
  });
}
