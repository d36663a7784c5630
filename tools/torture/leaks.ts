/** What an agent holds on to: it must not grow with what was done to it. */
import { basename } from 'node:path';
import { BrokenPromise } from './check.ts';
import { filesBelow, type Host } from './host.ts';
import { usageOf } from './processes.ts';

/** More than an agent has while it serves its last connections. */
const MAX_DESCRIPTORS = 64;
/** A kill leaves one; the next start sweeps it. */
const MAX_TEMPORARY = 5;

/** Throws for temporary files and descriptors that nobody needs any more; call it while nothing runs. Returns MB. */
export async function checkLeaks(host: Host): Promise<number> {
  const { pid } = await host.agent.up();
  const usage = usageOf(pid);
  if (usage === undefined) throw new BrokenPromise(`${host.name}: its agent is gone`);
  if (usage.descriptors > MAX_DESCRIPTORS)
    throw new BrokenPromise(`${host.name}: ${usage.descriptors} descriptors are open`);
  const temporary = filesBelow(host.disk).filter((path) => basename(path).startsWith('.tmp-'));
  if (temporary.length > MAX_TEMPORARY)
    throw new BrokenPromise(`${host.name}: temporary files are left: ${temporary.join(', ')}`);
  return usage.rssMb;
}
