/** `kick agent`: puts the listener, the agent and its folders together, and follows signals. */
import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { pino } from 'pino';
import { doctorFacts, type FactsOptions } from '../agent/doctor/facts.ts';
import { layoutOf, prepareFolders } from '../agent/layout.ts';
import { commandRunner } from '../agent/runners/command-runner.ts';
import { puppetAgentRunner, puppetApplyRunner } from '../agent/runners/puppet-runners.ts';
import { RUNNER_NAMES, type Runner, type RunnerName } from '../agent/runners/runner.ts';
import { type Pull, scheduledAction } from '../agent/schedule.ts';
import { openAgent } from '../agent/service.ts';
import { type AgentConfig, AgentConfigSchema, policyOf } from '../config/agent-config.ts';
import { readYamlFile } from '../config/yaml-file.ts';
import { KickError, messageOf } from '../errors.ts';
import { type Expiry, expiryOf } from '../pki/expiry.ts';
import type { IdentityPaths } from '../pki/identity.ts';
import { waitForIdentity, watchIdentity } from '../pki/identity-store.ts';
import { ENVIRONMENT_FILES } from '../puppet/service-environment.ts';
import { listenHttps } from '../transport/https/listener.ts';
import { sleep, systemClock } from '../util/clock.ts';
import { holdLock } from '../util/lock-file.ts';
import type { Log } from '../util/log.ts';
import { type IdentityChoice, identityPaths } from './identity.ts';
import { version } from './version.ts';

export interface AgentMainOptions {
  configDir: string;
  stateDir: string;
  runDir: string;
  puppet?: string | undefined;
  pkiDir: string;
  /** Whether --pki-dir or its variable was given. */
  pkiDirNamed: boolean;
  certname?: string | undefined;
  port?: number | undefined;
  bind?: string | undefined;
  runner?: string | undefined;
  /** The variable PATH. */
  path: string;
}

/** Milliseconds between two tries to learn from Puppet where its certificates are. */
const ASK_AGAIN_MS = 60_000;

/** Runs until SIGTERM or SIGINT. Throws `KickError` for what an operator must mend first. */
export async function agentMain(options: AgentMainOptions): Promise<void> {
  const clock = systemClock;
  const configPath = join(options.configDir, 'agent.yaml');
  const config = await readConfig(configPath, options);
  const log = pino({ level: config.log_level, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const ending = endOnSignal(log);
  await prepareFolders(options.stateDir, options.runDir);
  const lock = await holdLock(layoutOf(options.stateDir, options.runDir).agentLock, {
    label: `state directory "${options.stateDir}"`,
    clock,
    onCompromised: (error) =>
      log.error({ error: messageOf(error) }, 'another agent uses our state directory'),
  });
  const runner = makeRunner(config, options, log);
  pullOf(config, runner); // what cannot be, is told before anything is begun
  let expiry: Expiry | undefined;
  const agent = await openAgent({
    doctor: async () => ({
      ...(await doctorFacts(factsOptionsOf(config, options))),
      ...(expiry !== undefined && { certificateEnds: expiry.certificate }),
      ...(expiry?.crl !== undefined && { crlEnds: expiry.crl }),
    }),
    stateDir: options.stateDir,
    runDir: options.runDir,
    runner,
    policy: policyOf(config),
    version: version(),
    clock,
    log,
    queueSize: config.queue_size,
    killGraceMs: config.kill_grace,
    stuckAfterMs: config.stuck_after,
    metricsFile: config.metrics_file,
  });
  try {
    const paths = await pathsOfIdentity(config, options, { log, signal: ending });
    const watchOptions = { clock, log, signal: ending };
    const identity = paths && (await waitForIdentity(paths, watchOptions));
    if (paths === undefined || identity === undefined) return;
    agent.setCertname(identity.certname);
    expiry = expiryOf(identity);
    agent.setPull(pullOf(config, runner));
    agent.setExpiry(expiryOf(identity));
    const { port, bind } = config;
    const listener = await listenHttps(agent, { identity, port, log, ...(bind !== undefined && { bind }) });
    const watch = watchIdentity(paths, identity, watchOptions, (changed) => {
      agent.setCertname(changed.certname);
      expiry = expiryOf(changed);
      agent.setExpiry(expiryOf(changed));
      listener.setIdentity(changed);
    });
    process.on('SIGHUP', () => {
      void reload(configPath, options, log, (changed) => {
        agent.setPull(pullOf(changed, runner));
        agent.setPolicy(policyOf(changed));
      });
      void watch.reload();
    });
    log.info(
      { port: listener.port, certname: identity.certname, version: version(), runner: config.runner },
      'listening',
    );
    await aborted(ending);
    await agent.stop();
    await listener.close();
  } finally {
    await agent.stop();
    await lock.release();
    log.info({}, 'stopped; runs go on');
  }
}

async function readConfig(path: string, options: AgentMainOptions): Promise<AgentConfig> {
  const file = await readYamlFile(path, AgentConfigSchema, { what: 'agent configuration' });
  const config = file ?? (await import('valibot')).parse(AgentConfigSchema, {});
  return {
    ...config,
    ...(options.port !== undefined && { port: options.port }),
    ...(options.bind !== undefined && { bind: options.bind }),
    ...(options.runner !== undefined && { runner: runnerName(options.runner) }),
  };
}

function runnerName(text: string): RunnerName {
  const name = RUNNER_NAMES.find((one) => one === text);
  if (name !== undefined) return name;
  throw new KickError('usage', `choose the runner: there is no "${text}"`, {
    hint: `one of ${RUNNER_NAMES.join(', ')}`,
  });
}

/** SIGHUP: policy, certificates and CRLs anew; what needs a restart is left as it is. */
async function reload(
  path: string,
  options: AgentMainOptions,
  log: Log,
  use: (config: AgentConfig) => void,
): Promise<void> {
  try {
    use(await readConfig(path, options));
    log.info({}, 'policy loaded anew');
  } catch (error) {
    log.error({ reason: messageOf(error) }, 'the new configuration cannot be used: the old one stays');
  }
}

function makeRunner(config: AgentConfig, options: AgentMainOptions, log: Log): Runner {
  const { run_environment: runEnvironment, run_timeout: runTimeoutMs } = config;
  const puppetOptions = {
    puppet: options.puppet ?? config.puppet,
    path: options.path,
    stateDir: options.stateDir,
    runEnvironment,
    environmentFiles: config.environment_files ?? ENVIRONMENT_FILES,
    runTimeoutMs,
    log,
  };
  switch (config.runner) {
    case 'puppet-agent':
      return puppetAgentRunner(puppetOptions);
    case 'puppet-apply':
      if (config.apply === undefined) throw missing('apply: {manifest: …}', config.runner);
      return puppetApplyRunner(config.apply.manifest, puppetOptions);
    case 'command':
      if (config.command === undefined) throw missing('command: [program, …]', config.runner);
      return commandRunner({
        ...{ argv: config.command, runEnvironment, runTimeoutMs },
        disabledLock: join(options.stateDir, 'agent_disabled.lock'),
      });
  }
}

/** Where `kick doctor` looks; also where no agent runs yet. */
export function factsOptionsOf(config: AgentConfig, options: AgentMainOptions): FactsOptions {
  const { stateDir, runDir, path } = options;
  const puppet = { explicit: options.puppet ?? config.puppet, path };
  return { stateDir, runDir, now: systemClock.now(), ...(config.runner !== 'command' && { puppet }) };
}

/** Throws `KickError` `config` where the runner cannot do what its schedule would ask for. */
function pullOf({ pull }: AgentConfig, runner: Runner): Pull | undefined {
  if (pull === undefined) return undefined;
  const cannot = runner.unsupported(scheduledAction(pull));
  if (cannot.length > 0 || (pull.runinterval === 'puppet' && runner.name === 'command')) {
    const what = cannot.includes('useCachedCatalog')
      ? 'catalog: pushed'
      : cannot.length > 0
        ? 'noop: true'
        : 'runinterval: puppet';
    throw new KickError('config', `read pull in agent.yaml: the runner "${runner.name}" knows no "${what}"`, {
      hint: 'that is for the runner puppet-agent',
    });
  }
  return pull;
}

function missing(key: string, runner: RunnerName): KickError {
  return new KickError('config', `use the runner "${runner}": agent.yaml does not say what to run`, {
    hint: `add ${key}`,
  });
}

/** By which certificate the agent is known; a flag wins over the file. */
export function identityChoiceOf(config: AgentConfig, options: AgentMainOptions): IdentityChoice {
  return {
    pkiDir: options.pkiDirNamed ? options.pkiDir : (config.pki_dir ?? options.pkiDir),
    pkiDirNamed: options.pkiDirNamed || config.pki_dir !== undefined,
    certname: options.certname ?? config.certname,
    puppet: options.puppet ?? config.puppet,
    stateDir: options.stateDir,
    path: options.path,
  };
}

/** Where the certificates are. Puppet may not be there yet (first boot): then it is asked again. */
async function pathsOfIdentity(
  config: AgentConfig,
  options: AgentMainOptions,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<IdentityPaths | undefined> {
  const choice = identityChoiceOf(config, options);
  let told = '';
  while (!signal.aborted) {
    try {
      return await identityPaths(choice);
    } catch (error) {
      if (error instanceof KickError && error.code !== 'puppet') throw error;
      if (messageOf(error) !== told) log.warn({ reason: messageOf(error) }, 'waiting for Puppet');
      told = messageOf(error);
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
