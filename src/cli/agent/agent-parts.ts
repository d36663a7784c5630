/** Makes an agent's parts from its configuration and command line, for the agent and for `kick doctor --local`. */
import { join } from 'node:path';
import type { FactsOptions } from '../../agent/doctor/facts.ts';
import { commandRunner } from '../../agent/runners/command-runner.ts';
import type { PuppetRunnerOptions } from '../../agent/runners/puppet-here.ts';
import { puppetAgentRunner, puppetApplyRunner } from '../../agent/runners/puppet-runners.ts';
import type { Runner } from '../../agent/runners/runner.ts';
import { type Pull, scheduledAction } from '../../agent/schedule/pull.ts';
import type { AgentConfig } from '../../config/agent-config.ts';
import { KickError } from '../../errors.ts';
import type { Identity, Trust } from '../../pki/identity.ts';
import type { RunnerName } from '../../protocol/status.ts';
import { ENVIRONMENT_FILES } from '../../puppet/service-environment.ts';
import { systemClock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import type { AgentMainOptions } from './agent-settings.ts';

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
