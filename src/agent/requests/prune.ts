/** DESIGN 8: stored requests and runs are limited by age, count and bytes. Keys are kept longer (DESIGN 5). */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KNOWN_MS, MAX_LIFETIME_S, MAX_SKEW_S } from '../../protocol/request.ts';
import { folderBytes } from '../../util/disk-space.ts';
import { uptimeMs } from '../../util/proc.ts';
import type { Quarantine } from '../../util/quarantine.ts';
import type { RequestLog } from './request-log.ts';
import type { RequestStore } from './request-store.ts';

export interface PruneLimits {
  /** Milliseconds a key is kept. */
  keyAge: number;
  /** Requests whose events are kept. */
  requests: number;
  /** Total bytes of settled runs. */
  runBytes: number;
}

const PRUNE_LIMITS: PruneLimits = { keyAge: KNOWN_MS, requests: 5000, runBytes: 256 << 20 };

/** After so much of a boot nothing is valid that was accepted before it, whatever time the boot has begun with. */
const OUTLIVED_MS = (MAX_LIFETIME_S + 2 * MAX_SKEW_S) * 1000;

export interface PruneDeps {
  requests: RequestStore;
  requestLog: RequestLog;
  /** The folder of settled runs. */
  runsDir: string;
  /** Damaged files are kept for as long as keys. */
  quarantines?: readonly Quarantine[];
  limits?: PruneLimits;
  /** Milliseconds since the boot; defaults to the kernel's. */
  uptime?: () => number;
}

/**
 * Removes the oldest first, never a request without an outcome. `now` is milliseconds since 1970. What goes wrong with one
 * request does not keep the others; then it throws the last error.
 */
export async function prune(now: number, deps: PruneDeps): Promise<void> {
  const { requests, runsDir, limits = PRUNE_LIMITS } = deps;
  const { requests: maxRequests, runBytes } = limits;
  const retired = await retireOldRuns(runsDir, runBytes);
  // Names start with a UUIDv7 and so sort by time.
  const names = (await requests.list()).sort();
  const tooMany = Math.max(0, names.length - maxRequests);
  let problem: unknown;
  for (const [index, name] of names.entries()) {
    try {
      await pruneOne(name, { now, isTooMany: index < tooMany, retired }, deps);
    } catch (error) {
      problem = error;
    }
  }
  for (const quarantine of deps.quarantines ?? []) await quarantine.prune(now - limits.keyAge);
  for (const run of retired) await rm(join(runsDir, run), { recursive: true, force: true });
  if (problem !== undefined) throw problem;
}

async function pruneOne(
  name: string,
  { now, isTooMany, retired }: { now: number; isTooMany: boolean; retired: ReadonlySet<string> },
  { requests, requestLog, limits = PRUNE_LIMITS, uptime = uptimeMs }: PruneDeps,
): Promise<void> {
  if (uptime() > OUTLIVED_MS && (await requests.isOlder(name, { ageMs: limits.keyAge, now }))) {
    // A run in progress has none: the clock may have been set.
    const isOver =
      typeof (await requests.read(name)) !== 'object' || (await requestLog.finished(name)) !== undefined;
    if (isOver) return requests.forget(name);
  }
  const assignment = await requests.assignment(name);
  const isRetired = typeof assignment === 'object' && retired.has(assignment.run);
  if (!isRetired && !isTooMany) return;
  if (isRetired || (await requestLog.finished(name)) !== undefined) await requests.retire(name);
}

/** Returns the oldest runs over the limit; their folders are removed after the requests they served. */
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
