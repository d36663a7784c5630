/** What an agent consists of, before it has an identity and listens. */
import { type Agent, openAgent } from '../../agent/agent.ts';
import type { Runner } from '../../agent/runners/runner.ts';
import type { AgentConfig } from '../../config/agent-config.ts';
import { expiryOf } from '../../pki/expiry.ts';
import type { Identity, IdentityPaths, Trust } from '../../pki/identity.ts';
import { loadIdentity } from '../../pki/load-identity.ts';
import { systemClock } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { version } from '../version.ts';
import { factsOptionsOf, makeRunner, pullOf } from './agent-parts.ts';
import { agentPolicy } from './agent-policy.ts';
import type { AgentMainOptions } from './agent-settings.ts';

export interface Main {
  options: AgentMainOptions;
  config: AgentConfig;
  log: Log;
  agent: Agent;
  runner: Runner;
  /** Uses a new or renewed certificate. */
  use(identity: Trust, paths: IdentityPaths): void;
}

/** Why what an agent identifies itself by cannot be renewed, or taken up; for kick doctor. */
export interface Troubles {
  renewal: () => string | undefined;
  /** Absent: there is no identity yet. */
  identity?: () => string | undefined;
}

export async function openMain(
  options: AgentMainOptions,
  config: AgentConfig,
  { log, troubles }: { log: Log; troubles?: Troubles },
): Promise<Main> {
  const runner = makeRunner(config, options, log);
  pullOf(config, runner); // reports unsupported settings before anything starts
  let known: { identity: Trust; paths: IdentityPaths } | undefined;
  const agent = await openAgent({
    async doctor() {
      const { doctorFacts } = await import('../../agent/doctor/facts.ts');
      const facts = factsOptionsOf(config, options, { identity: known && (await withKey(known)), runner });
      return doctorFacts({
        ...facts,
        renewalError: troubles?.renewal(),
        identityError: troubles?.identity?.(),
      });
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
  const use: Main['use'] = (identity, paths) => {
    known = { identity, paths };
    agent.setCertname(identity.certname);
    agent.setExpiry(expiryOf(identity));
  };
  return { options, config, log, agent, runner, use };
}

/** To ask the Puppet Server takes a key, which a helper does not keep. */
async function withKey({
  identity,
  paths,
}: {
  identity: Trust;
  paths: IdentityPaths;
}): Promise<Identity | Trust> {
  if ('key' in identity) return identity;
  return loadIdentity(paths, { now: systemClock.now() }).catch(() => identity);
}
