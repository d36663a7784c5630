/** agent.yaml's `controllers` and `trust_pp_cli_auth` as the agent's policy. */
import type { Policy } from '../../agent/admission/policy.ts';
import type { AgentConfig } from '../../config/agent-config.ts';

export function agentPolicy({ controllers, trust_pp_cli_auth }: AgentConfig): Policy {
  return {
    trustPpCliAuth: trust_pp_cli_auth,
    controllers: controllers.map((rule) => {
      if (typeof rule === 'string') return { name: rule };
      const { name, ops, environments, noop_only } = rule;
      return { name, ops, environments, noopOnly: noop_only };
    }),
  };
}
