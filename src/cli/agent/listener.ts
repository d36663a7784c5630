/** DESIGN 14, the listener: TLS, the limits and the key, and nothing that starts a run. */
import { checkReader, isController } from '../../agent/admission/checks.ts';
import type { Policy } from '../../agent/admission/policy.ts';
import type { AgentConfig } from '../../config/agent-config.ts';
import { identityPaths } from '../../config/identity.ts';
import { KickError } from '../../errors.ts';
import { waitForIdentity, watchIdentity } from '../../pki/identity-store.ts';
import { Refusal } from '../../protocol/refusal.ts';
import { relayApp } from '../../transport/https/helper/relay.ts';
import { listenWith } from '../../transport/https/listener/listener.ts';
import type { AgentService } from '../../transport/transport.ts';
import { systemClock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { quietLog } from '../../util/quiet-log.ts';
import { jsonLog } from '../json-log.ts';
import { version } from '../version.ts';
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
  const listener = await listenWith(
    door.service,
    { identity, log, ...portOptions(config, options) },
    async (parts) => relayApp(door.service, { ...parts, helper, ending }),
  );
  const onChange = (changed: typeof identity) => listener.setIdentity(changed);
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
  log.info({}, 'stopped');
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
  const doing = 'listen for a helper';
  if (!listen) {
    throw new KickError('config', `${doing}: agent.yaml says "listen: false"`, {
      hint: 'without a port there is nothing to separate: run kick-agent.service',
    });
  }
  if (nats !== undefined) {
    throw new KickError(
      'config',
      `${doing}: agent.yaml names brokers (nats), which need an agent in one process`,
      {
        hint: 'remove nats: from agent.yaml, or run kick-agent.service',
      },
    );
  }
}
