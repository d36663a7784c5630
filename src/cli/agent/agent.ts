/** `kick agent`: connects the entrance, the agent and its folders, and handles signals. */
import type { Trust } from '../../pki/identity.ts';
import { waitForIdentity, watchIdentity } from '../../pki/identity-store.ts';
import { systemClock } from '../../util/clock.ts';
import { jsonLog } from '../json-log.ts';
import { version } from '../version.ts';
import { pullOf } from './agent-parts.ts';
import { agentPolicy } from './agent-policy.ts';
import { type AgentMainOptions, readConfig, reloadConfig } from './agent-settings.ts';
import type { Entrance } from './entrance.ts';
import { untilEnd } from './idle-exit.ts';
import { openMain, type Troubles } from './open-main.ts';
import { pathsOfIdentity } from './own-paths.ts';
import { createRenewal } from './renewal.ts';
import { earlySignal, endOnSignal, onRunSignal } from './signals.ts';
import { lockState } from './state-lock.ts';

/** Throws like `serve`. */
export async function agentMain(options: AgentMainOptions): Promise<void> {
  // Until it is asked for, Node would die of it.
  const hangUp = earlySignal('SIGHUP');
  const { takeFrom } = options;
  if (takeFrom === undefined) {
    return serve({ options, hangUp }, (await import('./network-entrance.ts')).networkEntrance);
  }
  return serve({ options, hangUp }, (await import('./helper-entrance.ts')).helperEntrance(takeFrom));
}

/** Runs until SIGTERM or SIGINT, or until nothing needs it (idle-exit.ts). Throws `KickError` for what an operator must fix first. */
async function serve<T extends Trust>(
  { options, hangUp }: { options: AgentMainOptions; hangUp: ReturnType<typeof earlySignal> },
  entrance: Entrance<T>,
): Promise<void> {
  const config = await readConfig(options);
  const log = jsonLog(config.log_level);
  const end = endOnSignal(log);
  const ending = end.signal;
  const runSignal = await onRunSignal(log);
  const lock = await lockState(options);
  const watchOptions = { clock: systemClock, log, signal: ending, load: entrance.load };
  const renewal = createRenewal({ clock: systemClock, log, signal: ending });
  const troubles: Troubles = { renewal: renewal.trouble };
  const main = await openMain(options, config, { log, troubles });
  const { agent, runner, use } = main;
  try {
    const paths = await pathsOfIdentity(config, options, { log, signal: ending });
    // Before there is an identity, too: a CRL that is too old keeps it from being one.
    if (paths !== undefined) await renewal.begin(paths);
    const identity = paths && (await waitForIdentity(paths, watchOptions));
    if (paths === undefined || identity === undefined) return;
    use(identity, paths);
    await renewal.begin(paths);
    agent.setPull(pullOf(config, runner));
    runSignal.use(agent.runNow);
    const open = await entrance.open(main, identity);
    const { listener, where, idleMs } = open;
    const watch = watchIdentity(paths, identity, {
      ...watchOptions,
      onChange(changed) {
        use(changed, paths);
        open.setIdentity(changed);
        void renewal.begin(paths);
      },
    });
    troubles.identity = watch.trouble;
    hangUp.use(() => {
      void reloadConfig(options, log, (changed) => {
        agent.setPull(pullOf(changed, runner));
        agent.setPolicy(agentPolicy(changed));
      });
      void watch.reload();
      renewal.look();
    });
    const { certname } = identity;
    log.info({ ...where, certname, version: version(), runner: config.runner }, 'listening');
    const isBusy = () => agent.rest.isBusy() || renewal.isOn() || open.isBusy();
    const rest = { ...agent.rest, isBusy };
    await untilEnd({ ...watchOptions, rest, listener, idleMs });
    end.abort();
    if (options.socket !== undefined) await listener.leave();
    await agent.stop();
    await listener.close();
    await open.close();
  } finally {
    await agent.stop();
    lock.release();
    log.info({}, 'stopped; runs go on');
  }
}
