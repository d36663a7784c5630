/** `kick agent`: connects the listener, the agent and its folders, and handles signals. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { type Agent, openAgent } from '../../agent/agent.ts';
import type { Runner } from '../../agent/runners/runner.ts';
import type { AgentConfig } from '../../config/agent-config.ts';
import { identityPaths } from '../../config/identity.ts';
import { KickError, messageAndHint } from '../../errors.ts';
import { expiryOf } from '../../pki/expiry.ts';
import type { Identity, IdentityPaths } from '../../pki/identity.ts';
import { waitForIdentity, watchIdentity } from '../../pki/identity-store.ts';
import { EXIT } from '../../protocol/outcome.ts';
import { type HttpsListener, listenHttps } from '../../transport/https/listener/listener.ts';
import { sleep, systemClock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { jsonLog } from '../json-log.ts';
import { version } from '../version.ts';
import { listenAtBroker } from './agent-broker.ts';
import {
  type AgentMainOptions,
  factsOptionsOf,
  identityChoiceOf,
  makeRunner,
  pullOf,
  readConfig,
} from './agent-parts.ts';
import { agentPolicy } from './agent-policy.ts';
import { untilIdle } from './idle-exit.ts';
import { createRenewal } from './renewal.ts';
import { lockState } from './state-lock.ts';
import { idleMsOf, socketProblem } from './systemd-socket.ts';

/** Milliseconds between attempts to ask Puppet where its certificates are. */
const ASK_AGAIN_MS = 60_000;

/** Runs until SIGTERM or SIGINT, or until nothing needs it (idle-exit.ts). Throws `KickError` for what an operator must fix first. */
export async function agentMain(options: AgentMainOptions): Promise<void> {
  const hangUp = earlySignal('SIGHUP');
  const config = await readConfig(configPathOf(options), options);
  const log = jsonLog(config.log_level);
  const end = endOnSignal(log);
  const ending = end.signal;
  let runNow = async () => log.warn({}, 'asked to run now, but the agent is not ready yet');
  process.on('SIGUSR1', () => void runNow());
  await closeDebugger(log);
  const lock = await lockState(options);
  const watchOptions = { clock: systemClock, log, signal: ending };
  const renewal = createRenewal(watchOptions);
  const main = await openMain(options, config, { log, renewalTrouble: renewal.trouble });
  const { agent, runner, use } = main;
  try {
    const paths = await pathsOfIdentity(config, options, { log, signal: ending });
    // Before there is an identity, too: a CRL that is too old keeps it from being one.
    if (paths !== undefined) await renewal.begin(paths);
    const identity = paths && (await waitForIdentity(paths, watchOptions));
    if (paths === undefined || identity === undefined) return;
    use(identity);
    await renewal.begin(paths);
    agent.setPull(pullOf(config, runner));
    runNow = () => agent.runNow();
    const listener = await listen(main, identity);
    const broker = await listenAtBroker(main, identity, listener);
    if (broker !== undefined) agent.setBroker(broker.link);
    const watch = watchIdentity(paths, identity, {
      ...watchOptions,
      onChange(changed) {
        use(changed);
        listener.setIdentity(changed);
        broker?.setIdentity(changed);
        void renewal.begin(paths);
      },
    });
    hangUp.use(() => {
      void reload(main);
      void watch.reload();
      renewal.look();
    });
    logListening(main, identity, listener.port);
    const idleMs = idleMsOf(options.socket, config);
    const rest = { ...agent.rest, isBusy: () => agent.rest.isBusy() || renewal.isOn() };
    if (idleMs === undefined) await aborted(ending);
    else {
      await untilIdle({ ...watchOptions, rest, listener, idleMs });
      if (!ending.aborted) process.exitCode = EXIT.idle;
    }
    end.abort();
    if (options.socket !== undefined) await listener.leave();
    await agent.stop();
    await listener.close();
    await broker?.close();
  } finally {
    await agent.stop();
    lock.release();
    log.info({}, 'stopped; runs go on');
  }
}

/** A signal that may come before anything can be done about it, and would end Node: that is done when `use` is called. */
function earlySignal(signal: NodeJS.Signals): { use(action: () => void): void } {
  let hasCome = false;
  let act = () => {
    hasCome = true;
  };
  process.on(signal, () => act());
  return {
    use(action) {
      act = action;
      if (hasCome) action();
    },
  };
}

/** What an agent consists of, before it has an identity and listens. */
export interface Main {
  options: AgentMainOptions;
  config: AgentConfig;
  log: Log;
  agent: Agent;
  runner: Runner;
  /** Uses a new or renewed certificate. */
  use(identity: Identity): void;
}

const configPathOf = ({ configDir }: AgentMainOptions) => join(configDir, 'agent.yaml');

export async function openMain(
  options: AgentMainOptions,
  config: AgentConfig,
  { log, renewalTrouble }: { log: Log; renewalTrouble?: () => string | undefined },
): Promise<Main> {
  const runner = makeRunner(config, options, log);
  pullOf(config, runner); // reports unsupported settings before anything starts
  let known: Identity | undefined;
  const agent = await openAgent({
    async doctor() {
      const { doctorFacts } = await import('../../agent/doctor/facts.ts');
      const facts = factsOptionsOf(config, options, { identity: known, runner });
      return doctorFacts({ ...facts, renewalError: renewalTrouble?.() });
    },
    stateDir: options.stateDir,
    runDir: options.runDir,
    runner,
    policy: agentPolicy(config),
    version: version(),
    clock: systemClock,
    log,
    queueSize: config.queue_size,
    killGraceMs: config.kill_grace,
    stuckAfterMs: config.stuck_after,
    metricsFile: config.metrics_file,
  });
  const use = (identity: Identity) => {
    known = identity;
    agent.setCertname(identity.certname);
    agent.setExpiry(expiryOf(identity));
  };
  return { options, config, log, agent, runner, use };
}

export function listen({ options, config, agent, log }: Main, identity: Identity): Promise<HttpsListener> {
  const { bind } = config;
  const { socket } = options;
  const port = config.listen ? config.port : undefined;
  return listenHttps(agent, {
    ...{ identity, port, log },
    ...(bind !== undefined && { bind }),
    ...(socket !== undefined && config.listen && { descriptor: socket }),
  });
}

function logListening({ options, config, log }: Main, identity: Identity, port: number): void {
  const problem = socketProblem(options.socket, { config, port });
  if (problem !== undefined) log.warn({}, problem);
  const from = options.socket !== undefined && config.listen && { socket: 'systemd' };
  const { certname } = identity;
  log.info({ port, ...from, certname, version: version(), runner: config.runner }, 'listening');
}

/**
 * Until there is a handler, Node starts its debugger on SIGUSR1: a signal that came too early has opened the debugger to
 * every local user. A debugger that was asked for is left open.
 */
async function closeDebugger(log: Log): Promise<void> {
  const { close, url } = await import('node:inspector');
  const words = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (url() === undefined || words.includes('--inspect')) return;
  close();
  log.warn({}, "SIGUSR1 came before the agent was ready and had opened Node's debugger: closed again");
}

/** SIGHUP: reloads the policy and the schedule; anything else needs a restart. */
async function reload({ options, agent, runner, log }: Main): Promise<void> {
  try {
    const config = await readConfig(configPathOf(options), options);
    agent.setPull(pullOf(config, runner));
    agent.setPolicy(agentPolicy(config));
    log.info({}, 'policy reloaded');
  } catch (error) {
    log.error({ reason: messageAndHint(error) }, 'cannot use the new configuration: the old one stays');
  }
}

/** Where the certificates are. If Puppet is not installed yet (first boot), it is asked again later. */
async function pathsOfIdentity(
  config: AgentConfig,
  options: AgentMainOptions,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<IdentityPaths | undefined> {
  const choice = identityChoiceOf(config, options);
  let logged = '';
  while (!signal.aborted) {
    try {
      return await identityPaths(choice);
    } catch (error) {
      if (error instanceof KickError && error.code !== 'puppet') throw error;
      const reason = messageAndHint(error);
      if (reason !== logged) log.warn({ reason }, 'waiting for Puppet');
      logged = reason;
      await sleep(ASK_AGAIN_MS, signal);
    }
  }
  return undefined;
}

function endOnSignal(log: Log): AbortController {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      ending.abort();
    });
  }
  return ending;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
