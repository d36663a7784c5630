/** What a process holds on to: it must not grow with what was done to it. */
import { basename } from 'node:path';
import { BrokenPromise } from './check.ts';
import { filesBelow } from './host.ts';
import { usageOf } from './processes.ts';

/** More than an agent or a server has while it serves its last connections. */
const MAX_DESCRIPTORS = 64;
/** A kill leaves one; the next start sweeps it. */
const MAX_TEMPORARY = 5;
/** MB more at rest than at its first rest: what an agent's Node collects late is less, what a server's does is not. */
const MAX_GROWTH_MB = { agent: 60, server: 400 };

/** Throws for temporary files and descriptors that nobody needs any more; call it while nothing runs. Returns MB. */
export function checkRest(what: string, { pid, folder }: { pid: number; folder?: string }): number {
  const usage = usageOf(pid);
  if (usage === undefined) throw new BrokenPromise(`${what} is gone`);
  if (usage.descriptors > MAX_DESCRIPTORS)
    throw new BrokenPromise(`${what}: ${usage.descriptors} descriptors are open`);
  const temporary =
    folder === undefined ? [] : filesBelow(folder).filter((path) => basename(path).startsWith('.tmp-'));
  if (temporary.length > MAX_TEMPORARY)
    throw new BrokenPromise(`${what}: temporary files are left: ${temporary.join(', ')}`);
  return usage.rssMb;
}

/** Returns what throws once something takes far more memory than it did the first time. */
export function watchGrowth(of: keyof typeof MAX_GROWTH_MB): (what: string, rssMb: number) => void {
  const first = new Map<string, number>();
  return (what, rssMb) => {
    const before = first.get(what) ?? rssMb;
    first.set(what, before);
    if (rssMb > before + MAX_GROWTH_MB[of])
      throw new BrokenPromise(`${what}: ${Math.round(rssMb)} MB at rest, at first ${Math.round(before)} MB`);
  };
}
