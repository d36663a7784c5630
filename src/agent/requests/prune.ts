/** DESIGN 8: what is kept is bounded by age, count and bytes. Keys outlive what became of them (DESIGN 5). */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { RequestLog } from './request-log.ts';
import type { RequestStore } from './request-store.ts';

export interface PruneLimits {
  /** Milliseconds a key is kept. */
  keyAge: number;
  /** Requests whose events are kept. */
  requests: number;
  /** Bytes of all settled runs together. */
  runBytes: number;
}

export const PRUNE_LIMITS: PruneLimits = { keyAge: 30 * 86_400_000, requests: 5000, runBytes: 256 << 20 };

export interface PruneDeps {
  requests: RequestStore;
  requestLog: RequestLog;
  /** The folder of settled runs. */
  runsDir: string;
  limits?: PruneLimits;
}

/** Forgets the oldest first; never a request without an outcome. `now` is milliseconds since 1970. */
export async function prune(
  now: number,
  { requests, requestLog, runsDir, limits }: PruneDeps,
): Promise<void> {
  const { keyAge, requests: maxRequests, runBytes } = limits ?? PRUNE_LIMITS;
  const retired = await retireOldRuns(runsDir, runBytes);
  // Names begin with a UUIDv7, so that their order is the order of time.
  const names = (await requests.list()).sort();
  const tooMany = Math.max(0, names.length - maxRequests);
  for (const [index, name] of names.entries()) {
    if (await requests.forget(name, now - keyAge)) continue;
    const assignment = await requests.assignment(name);
    const isRetired = typeof assignment === 'object' && retired.has(assignment.run);
    if (!isRetired && index >= tooMany) continue;
    if (isRetired || (await requestLog.finished(name)) !== undefined) await requests.retire(name);
  }
  for (const run of retired) await rm(join(runsDir, run), { recursive: true, force: true });
}

/** The names of the oldest runs beyond the limit; their folders go after the requests that they serve. */
async function retireOldRuns(runsDir: string, maxBytes: number): Promise<Set<string>> {
  const newestFirst = (await readdir(runsDir))
    .filter((name) => !name.startsWith('.'))
    .sort()
    .reverse();
  const retired = new Set<string>();
  let bytes = 0;
  for (const run of newestFirst) {
    bytes += await folderBytes(join(runsDir, run));
    if (bytes > maxBytes) retired.add(run);
  }
  return retired;
}

async function folderBytes(path: string): Promise<number> {
  let bytes = 0;
  for (const name of await readdir(path)) bytes += (await stat(join(path, name))).size;
  return bytes;
}
