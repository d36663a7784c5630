/** What an agent, or half of it, is told: its command line and agent.yaml. */
import { join } from 'node:path';
import * as v from 'valibot';
import { type AgentConfig, AgentConfigSchema } from '../../config/agent-config.ts';
import type { IdentityChoice } from '../../config/identity.ts';
import { readYamlFile } from '../../config/yaml-file.ts';
import { KickError, messageAndHint } from '../../errors.ts';
import { RUNNER_NAMES, type RunnerName } from '../../protocol/status.ts';
import type { ListenHttpsOptions } from '../../transport/https/listener/listener.ts';
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
  options: Pick<AgentMainOptions, 'configDir' | 'port' | 'bind' | 'runner'>,
): Promise<AgentConfig> {
  const path = join(options.configDir, 'agent.yaml');
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

/** SIGHUP: `use` takes what can change without a restart; if it throws, or agent.yaml cannot be read, the log says so. */
export async function reloadConfig(
  options: AgentMainOptions,
  log: Log,
  use: (config: AgentConfig) => void,
): Promise<void> {
  try {
    use(await readConfig(options));
    log.info({}, 'policy reloaded');
  } catch (error) {
    log.error({ reason: messageAndHint(error) }, 'cannot use the new configuration: the old one stays');
  }
}

/** The port, or what systemd has opened for it. */
export function portOptions(
  { listen, port, bind }: AgentConfig,
  { socket }: Pick<AgentMainOptions, 'socket'>,
): Pick<ListenHttpsOptions, 'port' | 'bind' | 'descriptor'> {
  return {
    port: listen ? port : undefined,
    ...(bind !== undefined && { bind }),
    ...(socket !== undefined && listen && { descriptor: socket }),
  };
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
