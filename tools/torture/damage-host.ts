/** Files of a host: what its agent has stored, and what its Puppet has. */
import { existsSync } from 'node:fs';
import { damageFile } from './damage-file.ts';
import type { Ground } from './faults.ts';
import { filesBelow, type Host } from './host.ts';
import { oneOf } from './random.ts';

/** While its agent is down. Returns false if there was nothing to damage. */
export async function damageState({ damaged, random }: Ground, host: Host): Promise<boolean> {
  damaged.set(host.name, Date.now());
  let isDone = false;
  await host.agent.whileDown(async () => {
    const files = filesBelow(host.stateDir);
    isDone = files.length > 0 && damageFile(oneOf(random, files), random);
  });
  return isDone;
}

/** While a run may be at work. */
export async function damagePuppet({ site, random }: Ground): Promise<boolean> {
  const { folder, files, reportDamagedAt } = oneOf(
    random,
    site.hosts.flatMap(({ puppet }) => puppet ?? []),
  );
  const wellKnown = Object.values(files).filter((path) => existsSync(path));
  const some = random() < 0.5 && wellKnown.length > 0 ? wellKnown : filesBelow(folder);
  if (some.length === 0) return false;
  const path = oneOf(random, some);
  if (path === files.report) reportDamagedAt.push(Date.now());
  return damageFile(path, random);
}
