/** The hosts of a job by what changed on them, failed or would change. */
import type { ResourceChange } from '../../protocol/event.ts';
import type { HostResult } from '../jobs/job.ts';
import { groupAlike } from './group-alike.ts';

export interface ChangeGroup {
  /** Those of the first host. */
  resources: readonly ResourceChange[];
  /** How many more it had than it could report. */
  more: number;
  /** The others have the host's name in their titles, each its own. */
  isExample: boolean;
  certnames: readonly string[];
}

/** The largest group first; nothing of hosts that report no resources. */
export function groupChanges(results: readonly HostResult[]): ChangeGroup[] {
  const changed = results.filter(
    ({ resources = [], moreResources = 0 }) => resources.length > 0 || moreResources > 0,
  );
  return groupAlike(changed, ({ certname, resources = [] }) => ({
    kind: '',
    text: resources.map(keyOf).sort().join('\n'),
    names: [certname],
  }))
    .map(({ items, isExample }) => ({
      resources: items[0].resources ?? [],
      more: items[0].moreResources ?? 0,
      isExample,
      certnames: items.map(({ certname }) => certname),
    }))
    .sort((a, b) => b.certnames.length - a.certnames.length);
}

/** Old and new values may differ from host to host; what was done is the same. */
function keyOf({ resource, status, events }: ResourceChange): string {
  return [resource, status, ...events.map(({ property = '', status: how }) => `${property} ${how}`)].join(
    '\0',
  );
}
