/** `kick agent --check`: whether an agent would start with this agent.yaml; packages ask it before they restart one. */
import { silentLog } from '../../util/log.ts';
import { makeRunner, pullOf } from './agent-parts.ts';
import { agentPolicy } from './agent-policy.ts';
import { type AgentMainOptions, readConfig } from './agent-settings.ts';

/** Throws `KickError` as the agent would. Makes and starts nothing. */
export async function checkAgentConfig(options: AgentMainOptions): Promise<void> {
  const config = await readConfig(options);
  agentPolicy(config);
  if (options.passTo !== undefined) (await import('./listener.ts')).checkListens(config);
  pullOf(config, makeRunner(config, options, silentLog));
}
