/** `kick agent --check`: whether an agent would start with this agent.yaml; packages ask it before they restart one. */
import { join } from 'node:path';
import { silentLog } from '../../util/log.ts';
import { type AgentMainOptions, makeRunner, pullOf, readConfig } from './agent-parts.ts';
import { agentPolicy } from './agent-policy.ts';

/** Throws `KickError` as the agent would. Makes and starts nothing. */
export async function checkAgentConfig(options: AgentMainOptions): Promise<void> {
  const config = await readConfig(join(options.configDir, 'agent.yaml'), options);
  agentPolicy(config);
  pullOf(config, makeRunner(config, options, silentLog));
}
