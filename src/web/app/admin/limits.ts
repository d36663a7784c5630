/** What narrows a role, in words. */
import type { Limits } from '../../api/access.ts';
import type { Text } from '../text/en.ts';

export function limitWords({ hosts, environments, noopOnly, maxHosts }: Limits, t: Text): string {
  return [
    hosts,
    environments?.join(', '),
    noopOnly === true ? t.admin.noopOnly : undefined,
    maxHosts === undefined ? undefined : `≤ ${t.common.hosts(maxHosts, String(maxHosts))}`,
  ]
    .filter((one) => one !== undefined)
    .join(' · ');
}
