/** Groups that limit how many of their hosts run at once. */
import type { Target } from '../../transport/transport.ts';
import type { GroupBound } from '../jobs/job.ts';
import type { Inventory } from './inventory.ts';
import type { Chosen } from './selection.ts';

/** The groups that limit how many of these hosts run at once. */
export async function groupBoundsOf(
  { groups }: Inventory,
  targets: readonly Target[],
  membersOf: Chosen['membersOf'],
): Promise<GroupBound[]> {
  const bounds: GroupBound[] = [];
  for (const { name, concurrency } of groups.values()) {
    if (concurrency === undefined) continue;
    const members = await membersOf(name);
    const certnames = targets.map(({ certname }) => certname).filter((one) => members.has(one));
    if (certnames.length > 0) bounds.push({ name, concurrency, certnames });
  }
  return bounds;
}
