/**
 * What a list of jobs shows, in one file, so that ten thousand are listed as fast as ten. Only a
 * cache: the folders are the truth. A job that it does not know is read from its folder, a line
 * that cannot be read is passed over, and an entry without a folder is forgotten.
 */
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { isUuid } from '../../protocol/names.ts';
import { temporaryName } from '../../util/atomic-file.ts';

export interface JobSummary {
  id: string;
  /** Milliseconds since 1970. */
  at: number;
  /** `deploy@puppet`. */
  by: string;
  hosts: number;
  /** Of its events; 0 while it is not over. */
  bytes: number;
  reason?: string;
  name?: string;
  noop?: boolean;
  /** Absent: it runs, or its controller died. */
  endedAt?: number;
  exit?: number;
  /** Hosts by outcome. */
  counts?: Readonly<Record<string, number>>;
}

export type JobEnd = Required<Pick<JobSummary, 'endedAt' | 'exit' | 'counts' | 'bytes'>>;

export interface Bounds {
  /** Milliseconds. */
  maxAgeMs: number;
  maxJobs: number;
  maxBytes: number;
}

export const JOB_BOUNDS: Bounds = { maxAgeMs: 365 * 86_400_000, maxJobs: 10_000, maxBytes: 2 * 2 ** 30 };

/** What each line says; 0.1 said none. Lines of a later one are passed over. */
const VERSION = 1;

/** Folders read at once, of jobs that the index does not know. */
const READ_AT_ONCE = 32;

/** Lines more than jobs that the index may have: a job has two, until the index is written anew. */
const LINES_TO_SPARE = 200;

export interface JobIndex {
  /** Never throws: the folder is what counts. */
  add(summary: JobSummary): void;
  end(id: string, end: JobEnd): void;
  /** It goes on: what was noted of its end no longer holds. */
  reopen(id: string): void;
  /** All jobs, or only so many of the latest; the oldest first. */
  list(latest?: number): Promise<JobSummary[]>;
  /** Removes the oldest until the rest is within the bounds; not those for which `isKept`. */
  prune(bounds: Bounds, now: number, isKept: (id: string) => Promise<boolean>): Promise<string[]>;
}

/** `summaryOf` reads a job's folder; undefined when it has none. */
export function createJobIndex(
  dir: string,
  summaryOf: (id: string) => Promise<JobSummary | undefined>,
): JobIndex {
  const path = join(dir, 'index.jsonl');

  function append(...lines: readonly (object | undefined)[]): void {
    if (lines.length === 0) return;
    try {
      appendFileSync(path, lines.map((line) => `${JSON.stringify({ ...line, v: VERSION })}\n`).join(''), {
        mode: 0o600,
      });
    } catch {
      // The job's own folder tells the same.
    }
  }

  async function list(latest?: number): Promise<JobSummary[]> {
    return (await read(latest)).jobs;
  }

  async function read(latest?: number): Promise<{ jobs: JobSummary[]; lines: number }> {
    const all = idsIn(dir);
    const ids = latest === undefined ? all : all.slice(-latest);
    const { jobs: known, lines } = readIndex(path, ids.length < all.length ? new Set(ids) : undefined);
    const jobs: JobSummary[] = [];
    const unknown = ids.filter((id) => !known.has(id));
    for (let from = 0; from < unknown.length; from += READ_AT_ONCE) {
      const some = unknown.slice(from, from + READ_AT_ONCE);
      const found = await Promise.all(some.map((id) => summaryOf(id).catch(() => undefined)));
      for (const entry of found) if (entry !== undefined) known.set(entry.id, entry);
      // Once is enough, of what does not change any more.
      append(...found.filter((entry) => entry?.endedAt !== undefined));
    }
    for (const id of ids) jobs.push(known.get(id) ?? { id, at: timeOf(id), by: '?', hosts: 0, bytes: 0 });
    return { jobs, lines };
  }

  async function prune(
    bounds: Bounds,
    now: number,
    isKept: (id: string) => Promise<boolean>,
  ): Promise<string[]> {
    const { jobs, lines } = await read();
    // Of a job whose controller died nobody has noted the size.
    for (const job of jobs)
      if (job.endedAt === undefined) job.bytes = sizeOf(join(dir, job.id, 'events.jsonl'));
    let bytes = jobs.reduce((sum, job) => sum + job.bytes, 0);
    let count = jobs.length;
    const gone: string[] = [];
    for (const job of jobs) {
      const isOld = now - job.at > bounds.maxAgeMs;
      if (!isOld && count <= bounds.maxJobs && bytes <= bounds.maxBytes) break;
      if (await isKept(job.id)) continue;
      await rm(join(dir, job.id), { recursive: true, force: true });
      gone.push(job.id);
      bytes -= job.bytes;
      count -= 1;
    }
    const kept = jobs.filter(({ id }) => !gone.includes(id));
    if (gone.length > 0 || lines > kept.length + LINES_TO_SPARE) await rewrite(kept);
    return gone;
  }

  /** A line that another kick appends meanwhile is lost, and read from its folder again. */
  async function rewrite(jobs: readonly JobSummary[]): Promise<void> {
    const temporary = temporaryName(path);
    writeFileSync(temporary, jobs.map((job) => `${JSON.stringify({ ...job, v: VERSION })}\n`).join(''), {
      mode: 0o600,
    });
    await rename(temporary, path);
  }

  return {
    add: append,
    end: (id, end) => append({ id, ...end }),
    reopen: (id) => append({ id, endedAt: null }),
    list,
    prune,
  };
}

/** A line of the index: a job, or what became of one. */
const LineSchema = v.looseObject({
  id: v.string(),
  v: v.optional(v.literal(VERSION)),
  at: v.optional(v.number()),
  by: v.optional(v.string()),
  hosts: v.optional(v.number()),
  bytes: v.optional(v.number()),
  reason: v.optional(v.string()),
  name: v.optional(v.string()),
  noop: v.optional(v.boolean()),
  /** Null: it goes on. */
  endedAt: v.nullish(v.number()),
  exit: v.optional(v.number()),
  counts: v.optional(v.record(v.string(), v.number())),
});

type Line = Partial<Omit<JobSummary, 'endedAt'>> & { id: string; endedAt?: number | null };

interface Known {
  jobs: Map<string, JobSummary>;
  /** Lines of the file, damaged ones too. */
  lines: number;
}

/** `wanted`: of whom it is to tell; all unless told. */
function readIndex(path: string, wanted?: ReadonlySet<string>): Known {
  const jobs = new Map<string, JobSummary>();
  let text = '';
  try {
    text = readFileSync(path, 'utf8').trimEnd();
  } catch {
    // it is made anew
  }
  if (text === '') return { jobs, lines: 0 };
  const lines = text.split('\n');
  const mine = wanted === undefined ? lines : lines.filter((line) => mayBeOf(wanted, line));
  for (const line of parseLines(mine)) if (v.is(LineSchema, line)) follow(jobs, line as Line);
  return { jobs, lines: lines.length };
}

/** What every line of ours begins with. */
const HEAD = '{"id":"';

/** Without parsing it. */
function mayBeOf(wanted: ReadonlySet<string>, line: string): boolean {
  return !line.startsWith(HEAD) || wanted.has(line.slice(HEAD.length, HEAD.length + 36));
}

/** In one go, which takes a third of the time; one by one where a line is damaged. */
function parseLines(lines: readonly string[]): unknown[] {
  try {
    return JSON.parse(`[${lines.join(',')}]`) as unknown[];
  } catch {
    return lines.map((line) => {
      try {
        return JSON.parse(line) as unknown;
      } catch {
        return undefined;
      }
    });
  }
}

function follow(jobs: Map<string, JobSummary>, { v: _version, ...line }: Line & { v?: number }): void {
  const before = jobs.get(line.id);
  if (before !== undefined && line.endedAt === null) {
    for (const key of ['endedAt', 'exit', 'counts'] as const) delete before[key];
  } else if (before !== undefined) Object.assign(before, line);
  else if (typeof line.at === 'number') jobs.set(line.id, line as JobSummary);
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
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** A UUIDv7 begins with its time (RFC 9562 5.7). */
function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}
