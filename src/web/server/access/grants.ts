/** Roles that controller.yaml gives to certificates and groups, in its words. */
import type { OidcConfig } from '../../../config/controller-config.ts';
import type { Limits } from '../../api/access.ts';
import type { Role } from '../../api/route.ts';

export interface Grant {
  role: Role;
  limits: Limits;
}

export function grantOf(given: OidcConfig['groups'][number]): Grant {
  const { role, hosts, environments, noop_only: noopOnly, max_hosts: maxHosts } = given;
  const limits = {
    ...(hosts !== undefined && { hosts }),
    ...(environments !== undefined && { environments }),
    ...(noopOnly === true && { noopOnly }),
    ...(maxHosts !== undefined && { maxHosts }),
  };
  return { role, limits };
}
