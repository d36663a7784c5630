/** Which controllers may do what on this host (agent.yaml: controllers, trust_pp_cli_auth). */
import type { Action, Operation } from '../../protocol/request.ts';

export interface ControllerRule {
  name: string;
  /** Defaults to all operations. */
  ops?: readonly Operation[] | undefined;
  /** If present, a run must name one of these environments. */
  environments?: readonly string[] | undefined;
  noopOnly?: boolean | undefined;
}

export interface Policy {
  controllers: readonly ControllerRule[];
  /** Whether certificates marked by Puppet as an administrator's (pp_cli_auth) may do everything (DESIGN 1). */
  trustPpCliAuth: boolean;
}

/** The rule for a controller: the one with its name, else the default for Puppet's administrators. */
export function ruleFor(
  policy: Policy,
  name: string,
  isPuppetAdministrator: () => boolean,
): ControllerRule | undefined {
  const named = policy.controllers.find((rule) => rule.name === name);
  if (named !== undefined) return named;
  return policy.trustPpCliAuth && isPuppetAdministrator() ? { name } : undefined;
}

/** Why a rule does not allow an action; undefined if it does. */
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
