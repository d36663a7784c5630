/** `kick agent`: puts the listener, the agent and its folders together, and follows signals. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { pino } from 'pino';
import { type Agent, openAgent } from '../../agent/agent.ts';
import { layoutOf, prepareFolders } from '../../agent/layout.ts';
import type { Runner } from '../../agent/runners/runner.ts';
import type { AgentConfig } from '../../config/agent-config.ts';
import { identityPaths } from '../../config/identity.ts';
import { KickError, messageOf } from '../../errors.ts';
import { expiryOf } from '../../pki/expiry.ts';
import type { Identity, IdentityPaths } from '../../pki/identity.ts';
import { waitForIdentity, watchIdentity } from '../../pki/identity-store.ts';
import { type HttpsListener, listenHttps } from '../../transport/https/listener/listener.ts';
import { sleep, systemClock } from '../../util/clock.ts';
import { type HeldLock, holdLock } from '../../util/lock-file.ts';
import type { Log } from '../../util/log.ts';
import { version } from '../version.ts';
import {
  type AgentMainOptions,
  factsOptionsOf,
  identityChoiceOf,
  makeRunner,
  pullOf,
  readConfig,
} from './agent-parts.ts';
import { policyOf } from './policy-of.ts';

/** Milliseconds between two tries to learn from Puppet where its certificates are. */
const ASK_AGAIN_MS = 60_000;

/** Runs until SIGTERM or SIGINT. Throws `KickError` for what an operator must mend first. */
export async function agentMain(options: AgentMainOptions): Promise<void> {
  const config = await readConfig(configPathOf(options), options);
  const log = pino({ level: config.log_level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const ending = endOnSignal(log);
  let runNow = async () => log.warn({}, 'asked to run now, but the agent is not ready yet');
  process.on('SIGUSR1', () => void runNow());
  await closeDebugger(log);
  const lock = await lockState(options, log);
  const main = await open(options, config, log);
  const { agent, runner, use } = main;
  try {
    const paths = await pathsOfIdentity(config, options, { log, signal: ending });
    const watchOptions = { clock: systemClock, log, signal: ending };
    const identity = paths && (await waitForIdentity(paths, watchOptions));
    if (paths === undefined || identity === undefined) return;
    use(identity);
    agent.setPull(pullOf(config, runner));
    runNow = () => agent.runNow();
    const listener = await listen(main, identity);
    const watch = watchIdentity(paths, identity, watchOptions, (changed) => {
      use(changed);
      listener.setIdentity(changed);
    });
    process.on('SIGHUP', () => {
      void reload(main);
      void watch.reload();
    });
    const { certname } = identity;
    log.info({ port: listener.port, certname, version: version(), runner: config.runner }, 'listening');
    await aborted(ending);
    await agent.stop();
    await listener.close();
  } finally {
    await agent.stop();
    await lock.release();
    log.info({}, 'stopped; runs go on');
  }
}

/** What `agentMain` has opened. */
interface Main {
  options: AgentMainOptions;
  config: AgentConfig;
  log: Log;
  agent: Agent;
  runner: Runner;
  /** Takes a certificate, also a renewed one. */
  use(identity: Identity): void;
}

const configPathOf = ({ configDir }: AgentMainOptions) => join(configDir, 'agent.yaml');

/** One agent for each state directory. */
async function lockState({ stateDir, runDir }: AgentMainOptions, log: Log): Promise<HeldLock> {
  await prepareFolders(stateDir, runDir);
  return holdLock(layoutOf(stateDir, runDir).agentLock, {
    label: `state directory "${stateDir}"`,
    clock: systemClock,
    onCompromised: (error) =>
      log.error({ error: messageOf(error) }, 'another agent uses our state directory'),
  });
}

async function open(options: AgentMainOptions, config: AgentConfig, log: Log): Promise<Main> {
  const runner = makeRunner(config, options, log);
  pullOf(config, runner); // what the runner cannot do is reported before anything begins
  let known: Identity | undefined;
  const agent = await openAgent({
    async doctor() {
      const { doctorFacts } = await import('../../agent/doctor/facts.ts');
      return doctorFacts(factsOptionsOf(config, options, known));
    },
    stateDir: options.stateDir,
    runDir: options.runDir,
    runner,
    policy: policyOf(config),
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

function listen({ config, agent, log }: Main, identity: Identity): Promise<HttpsListener> {
  const { port, bind } = config;
  return listenHttps(agent, { identity, port, log, ...(bind !== undefined && { bind }) });
}

/**
 * To Node, SIGUSR1 means "start the debugger" until somebody listens for it: one that came too early has opened the
 * debugger to everybody who is logged in. A debugger that was asked for stays.
 */
async function closeDebugger(log: Log): Promise<void> {
  const { close, url } = await import('node:inspector');
  const words = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  if (url() === undefined || words.includes('--inspect')) return;
  close();
  log.warn({}, "SIGUSR1 came before the agent was ready and had opened Node's debugger: closed again");
}

/** SIGHUP: the policy and the schedule are read again; what needs a restart stays as it is. */
async function reload({ options, agent, runner, log }: Main): Promise<void> {
  try {
    const config = await readConfig(configPathOf(options), options);
    agent.setPull(pullOf(config, runner));
    agent.setPolicy(policyOf(config));
    log.info({}, 'policy loaded anew');
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'the new configuration cannot be used: the old one stays');
  }
}

/** Where the certificates are. Puppet may not be there yet (first boot): then it is asked again. */
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
      if (messageOf(error) !== logged) log.warn({ reason: messageOf(error) }, 'waiting for Puppet');
      logged = messageOf(error);
      await sleep(ASK_AGAIN_MS, signal);
    }
  }
  return undefined;
}

function endOnSignal(log: Log): AbortSignal {
  const ending = new AbortController();
  setMaxListeners(0, ending.signal);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'stopping');
      ending.abort();
    });
  }
  return ending.signal;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
