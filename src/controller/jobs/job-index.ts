/**
 * What a list of jobs shows, in one file, so that ten thousand jobs are listed as fast as ten. Only a
 * cache: the folders are the truth. A job that is not in it is read from its folder, and an entry
 * without a folder is dropped.
 */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { isUuid } from '../../protocol/names.ts';
import { removeFolderAtomic, sweepTemporary } from '../../util/atomic-file.ts';
import { spaceOf } from '../../util/disk-space.ts';
import { appendToIndex, readIndex, rewriteIndex } from './job-index-file.ts';
import type { JobEnd, JobSummary } from './job-summary.ts';

export interface Bounds {
  /** Milliseconds. */
  maxAgeMs: number;
  maxJobs: number;
  maxBytes: number;
}

export const JOB_BOUNDS: Bounds = { maxAgeMs: 365 * 86_400_000, maxJobs: 10_000, maxBytes: 2 * 2 ** 30 };

/** Younger ones may be folders in the making. */
const DAY_MS = 86_400_000;

/** Jobs that are not in the index are read from so many folders at once. */
const READ_AT_ONCE = 32;

/** The index is rewritten when it has this many more lines than jobs: each job adds two. */
const LINES_TO_SPARE = 200;

export interface JobIndex {
  /** Never throws: the folder is the truth. */
  add(summary: JobSummary): void;
  end(id: string, end: JobEnd): void;
  /** The job was resumed: its recorded end no longer holds. */
  reopen(id: string): void;
  /** All jobs, or the latest `latest`; oldest first. */
  list(latest?: number): Promise<JobSummary[]>;
  /** Removes the oldest jobs until the rest is within the bounds. Returns the ids of those removed. */
  prune(bounds: Bounds, options: PruneOptions): Promise<string[]>;
}

export interface PruneOptions {
  /** Milliseconds since 1970. */
  now: number;
  /** Whether a job must stay. */
  isKept(id: string): Promise<boolean>;
}

interface IndexPlace {
  /** The folder of the jobs. */
  dir: string;
  path: string;
  /** Reads a job's folder; undefined when it has none. */
  readSummary(id: string): Promise<JobSummary | undefined>;
}

export function createJobIndex(dir: string, readSummary: IndexPlace['readSummary']): JobIndex {
  const path = join(dir, 'index.jsonl');
  const place: IndexPlace = { dir, path, readSummary };
  return {
    add: (summary) => appendToIndex(path, [summary]),
    end: (id, end) => appendToIndex(path, [{ id, ...end }]),
    reopen: (id) => appendToIndex(path, [{ id, endedAt: null }]),
    list: async (latest) => (await readJobs(place, latest)).jobs,
    prune: (bounds, options) => prune(place, bounds, options),
  };
}

async function readJobs(place: IndexPlace, latest?: number): Promise<{ jobs: JobSummary[]; lines: number }> {
  const all = idsIn(place.dir);
  const ids = latest === undefined ? all : all.slice(-latest);
  const { jobs: known, lines } = readIndex(place.path, ids.length < all.length ? new Set(ids) : undefined);
  await addUnknown(known, ids, place);
  const jobs = ids.map((id) => known.get(id) ?? { id, at: timeOf(id), by: '?', hosts: 0, bytes: 0 });
  return { jobs, lines };
}

async function addUnknown(
  known: Map<string, JobSummary>,
  ids: readonly string[],
  { path, readSummary }: IndexPlace,
): Promise<void> {
  const unknown = ids.filter((id) => !known.has(id));
  for (let from = 0; from < unknown.length; from += READ_AT_ONCE) {
    const some = unknown.slice(from, from + READ_AT_ONCE);
    const read = await Promise.all(some.map((id) => readSummary(id).catch(() => undefined)));
    const found = read.filter((entry) => entry !== undefined);
    for (const entry of found) known.set(entry.id, entry);
    // Only jobs that are over go into the index: the others still change.
    const over = found.filter(({ endedAt }) => endedAt !== undefined);
    appendToIndex(path, over);
  }
}

async function prune(place: IndexPlace, bounds: Bounds, { now, isKept }: PruneOptions): Promise<string[]> {
  const { dir, path } = place;
  const { jobs, lines } = await readJobs(place);
  // The size of a job whose controller died was never recorded.
  for (const job of jobs)
    if (job.endedAt === undefined) job.bytes = sizeOf(join(dir, job.id, 'events.jsonl'));
  let bytes = jobs.reduce((sum, job) => sum + job.bytes, 0);
  let count = jobs.length;
  const gone: string[] = [];
  for (const job of jobs) {
    const isOld = now - job.at > bounds.maxAgeMs;
    if (!isOld && count <= bounds.maxJobs && bytes <= bounds.maxBytes) break;
    if (await isKept(job.id)) continue;
    if (!(await isRemoved(join(dir, job.id)))) continue;
    gone.push(job.id);
    bytes -= job.bytes;
    count -= 1;
  }
  if (gone.length > 0) await sweepTemporary(dir, { before: now - DAY_MS }).catch(() => {});
  const kept = jobs.filter(({ id }) => !gone.includes(id));
  if (gone.length > 0 || lines > kept.length + LINES_TO_SPARE) await rewriteIndex(path, kept);
  return gone;
}

/** Half a folder would be a job that can be resumed, though its hosts have run. What cannot be removed keeps no other job. */
async function isRemoved(path: string): Promise<boolean> {
  await removeFolderAtomic(path).catch(() => {});
  return lstatSync(path, { throwIfNoEntry: false }) === undefined;
}

function idsIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter(isUuid).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw new KickError('state', `read the jobs in "${dir}": ${messageOf(error)}`, {
      hint: 'it must be a folder that you may read; --state-dir names another',
      cause: error,
    });
  }
}

function sizeOf(path: string): number {
  try {
    const found = lstatSync(path, { throwIfNoEntry: false });
    return found === undefined ? 0 : spaceOf(found);
  } catch {
    return 0; // its folder is none
  }
}

/** A UUIDv7 begins with its time (RFC 9562 5.7). */
function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}
