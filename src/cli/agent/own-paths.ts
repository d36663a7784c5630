/** Where an agent's certificates are, while Puppet may not be there to ask. */
import type { AgentConfig } from '../../config/agent-config.ts';
import { identityPaths } from '../../config/identity.ts';
import { KickError, messageAndHint } from '../../errors.ts';
import type { IdentityPaths } from '../../pki/identity.ts';
import { sleep } from '../../util/clock.ts';
import type { Log } from '../../util/log.ts';
import { type AgentMainOptions, identityChoiceOf } from './agent-settings.ts';

/** Milliseconds between attempts to ask Puppet where its certificates are. */
const ASK_AGAIN_MS = 60_000;

/** Where the certificates are. If Puppet is not installed yet (first boot), it is asked again later. */
export async function pathsOfIdentity(
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
