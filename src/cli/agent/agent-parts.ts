/** Makes an agent's parts from its configuration and command line, for the agent and for `kick doctor --local`. */
import { join } from 'node:path';
import * as v from 'valibot';
import type { FactsOptions } from '../../agent/doctor/facts.ts';
import { commandRunner } from '../../agent/runners/command-runner.ts';
import type { PuppetRunnerOptions } from '../../agent/runners/puppet-here.ts';
import { puppetAgentRunner, puppetApplyRunner } from '../../agent/runners/puppet-runners.ts';
import type { Runner } from '../../agent/runners/runner.ts';
import { type Pull, scheduledAction } from '../../agent/schedule/pull.ts';
import { type AgentConfig, AgentConfigSchema } from '../../config/agent-config.ts';
import type { IdentityChoice } from '../../config/identity.ts';
import { readYamlFile } from '../../config/yaml-file.ts';
import { KickError } from '../../errors.ts';
import type { Identity, Trust } from '../../pki/identity.ts';
import { RUNNER_NAMES, type RunnerName } from '../../protocol/status.ts';
import { ENVIRONMENT_FILES } from '../../puppet/service-environment.ts';
import { systemClock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';

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
  /** The descriptor of systemd's that listens already. */
  socket?: number | undefined;
  /** The socket of the helper: this process only listens, and hands requests on (DESIGN 14). */
  passTo?: string | undefined;
  /** The socket on which a listener hands requests on: this process is the helper. */
  takeFrom?: string | undefined;
  /** The variable PATH. */
  path: string;
}

/** Reads agent.yaml, or its defaults if there is none; the command line wins. Throws `KickError` for problems in it. */
export async function readConfig(
  path: string,
  options: Pick<AgentMainOptions, 'port' | 'bind' | 'runner'>,
): Promise<AgentConfig> {
  const file = await readYamlFile(path, AgentConfigSchema, { what: 'agent configuration' });
  const config = file ?? v.parse(AgentConfigSchema, {});
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

export function puppetOptionsOf(
  config: AgentConfig,
  options: AgentMainOptions,
  log: Log,
): PuppetRunnerOptions {
  return {
    puppet: options.puppet ?? config.puppet,
    path: options.path,
    stateDir: options.stateDir,
    runEnvironment: config.run_environment,
    environmentFiles: config.environment_files ?? ENVIRONMENT_FILES,
    runTimeoutMs: config.run_timeout,
    log,
  };
}

/** Throws `KickError` `config` if the file does not say what to run. */
export function makeRunner(config: AgentConfig, options: AgentMainOptions, log: Log): Runner {
  const { run_environment: runEnvironment, run_timeout: runTimeoutMs } = config;
  const puppetOptions = puppetOptionsOf(config, options, log);
  switch (config.runner) {
    case 'puppet-agent':
      return puppetAgentRunner(puppetOptions);
    case 'puppet-apply':
      if (config.apply === undefined) throw missing('apply: {manifest: …}', config.runner);
      return puppetApplyRunner(config.apply.manifest, puppetOptions);
    case 'command':
      if (config.command === undefined) throw missing('command: [program, …]', config.runner);
      return commandRunner({
        argv: config.command,
        runEnvironment,
        runTimeoutMs,
        disabledLock: join(options.stateDir, 'agent_disabled.lock'),
      });
  }
}

/** What `kick doctor` checks, with or without a running agent. */
export function factsOptionsOf(
  config: AgentConfig,
  options: AgentMainOptions,
  { identity, runner: ran }: { identity: Identity | Trust | undefined; runner: Runner | undefined },
): FactsOptions {
  const { stateDir, runDir, path } = options;
  const { runner } = config;
  const puppet = {
    explicit: options.puppet ?? config.puppet,
    path,
    asksServer: runner === 'puppet-agent',
    environmentFiles: config.environment_files ?? ENVIRONMENT_FILES,
  };
  return {
    stateDir,
    runDir,
    identity,
    runner: ran,
    now: systemClock.now(),
    ...(runner !== 'command' && { puppet }),
  };
}

/** Throws `KickError` `config` if the runner does not support what the schedule would ask for. */
export function pullOf({ pull }: AgentConfig, runner: Runner): Pull | undefined {
  if (pull === undefined) return undefined;
  const cannot = runner.unsupported(scheduledAction(pull));
  if (cannot.length > 0 || (pull.runinterval === 'puppet' && runner.name === 'command')) {
    const what = cannot.includes('useCachedCatalog')
      ? 'catalog: pushed'
      : cannot.length > 0
        ? 'noop: true'
        : 'runinterval: puppet';
    throw new KickError(
      'config',
      `read pull in agent.yaml: the runner "${runner.name}" does not support "${what}"`,
      {
        hint: 'the runner puppet-agent does',
      },
    );
  }
  return pull;
}

function missing(key: string, runner: RunnerName): KickError {
  return new KickError('config', `use the runner "${runner}": agent.yaml does not say what to run`, {
    hint: `add ${key}`,
  });
}

/** Which certificate the agent uses; flags win over the file. */
export function identityChoiceOf(config: AgentConfig, options: AgentMainOptions): IdentityChoice {
  return {
    configDir: options.configDir,
    pkiDir: options.pkiDirNamed ? options.pkiDir : (config.pki_dir ?? options.pkiDir),
    pkiDirNamed: options.pkiDirNamed || config.pki_dir !== undefined,
    certname: options.certname ?? config.certname,
    puppet: options.puppet ?? config.puppet,
    stateDir: options.stateDir,
    path: options.path,
  };
}
