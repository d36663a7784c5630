/** Files of `kick serve`: those of the latest jobs as often as all others. */
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import type { Random } from '../../src/cli/demo/run-shape.ts';
import { sleep } from '../../src/util/clock.ts';
import { damageFile } from './damage-file.ts';
import type { Ground } from './faults.ts';
import { filesBelow } from './host.ts';
import { between, oneOf } from './random.ts';

const LATEST = 30;

/** Without them nobody is let in, or nothing is started: somebody brings them back from a backup. */
const BROUGHT_BACK = ['accounts.json', 'schedules.json'];

/** While it runs, or while it is down. Returns false if there was nothing to damage. */
export async function damageServer({ site, random, damagedJobs, restarting }: Ground): Promise<boolean> {
  const { server, stateDir } = site;
  const path = someFile(stateDir, random);
  // One at a time: what is brought back must be whole.
  if (path === undefined || restarting.has(damageServer)) return false;
  const [folder, job] = relative(stateDir, path).split(sep);
  // What is said of it from now on may be that it is damaged.
  if (folder === 'jobs' && job !== undefined) damagedJobs.add(job);
  restarting.add(damageServer);
  try {
    const before = BROUGHT_BACK.includes(basename(path)) ? readFileSync(path) : undefined;
    let isDone = false;
    const damage = async () => {
      isDone = damageFile(path, random);
    };
    if (random() < 0.5) await damage();
    else await server.whileDown(damage);
    if (before !== undefined) await bringBack(path, { before, afterMs: between(random, 50, 500) });
    return isDone;
  } finally {
    restarting.delete(damageServer);
  }
}

async function bringBack(
  path: string,
  { before, afterMs }: { before: Buffer; afterMs: number },
): Promise<void> {
  await sleep(afterMs);
  writeFileSync(`${path}.backup`, before, { mode: 0o600 });
  renameSync(`${path}.backup`, path);
}

function someFile(stateDir: string, random: Random): string | undefined {
  const jobs = join(stateDir, 'jobs');
  const latest = existsSync(jobs) ? readdirSync(jobs).sort().slice(-LATEST) : [];
  const isOther = (path: string) => !path.startsWith(jobs + sep) || basename(path) === 'index.jsonl';
  try {
    const files =
      random() < 0.5
        ? latest.flatMap((name) => filesBelow(join(jobs, name)))
        : filesBelow(stateDir).filter(isOther);
    return files.length === 0 ? undefined : oneOf(random, files);
  } catch {
    return undefined; // a folder went away
  }
}
