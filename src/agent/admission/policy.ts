/** Which controllers this host obeys, and in what (agent.yaml: controllers, trust_pp_cli_auth). */
import type { Action, Operation } from '../../protocol/request.ts';

export interface ControllerRule {
  name: string;
  /** Absent: all. */
  ops?: readonly Operation[] | undefined;
  /** When present, a run must name one of these environments. */
  environments?: readonly string[] | undefined;
  noopOnly?: boolean | undefined;
}

export interface Policy {
  controllers: readonly ControllerRule[];
  /** Whether whom Puppet marks as an administrator (pp_cli_auth) may do everything (DESIGN 1). */
  trustPpCliAuth: boolean;
}

/** The rule for a controller: by its name first, else the default for Puppet's administrators. */
export function ruleFor(
  policy: Policy,
  name: string,
  isPuppetAdministrator: () => boolean,
): ControllerRule | undefined {
  const named = policy.controllers.find((rule) => rule.name === name);
  if (named !== undefined) return named;
  return policy.trustPpCliAuth && isPuppetAdministrator() ? { name } : undefined;
}

/** Why a rule does not allow an action; undefined when it does. */
export function objectionTo(action: Action, rule: ControllerRule): string | undefined {
  if (rule.ops !== undefined && !rule.ops.includes(action.op)) return `op "${action.op}" is not allowed`;
  if (action.op !== 'run') return undefined;
  if (rule.noopOnly === true && action.noop !== true) return 'only --noop is allowed';
  const { environments } = rule;
  if (environments === undefined) return undefined;
  if (action.environment === undefined) return 'an environment must be named';
  return environments.includes(action.environment)
    ? undefined
    : `environment "${action.environment}" is not allowed`;
}
