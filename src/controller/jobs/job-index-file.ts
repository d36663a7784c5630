/** index.jsonl: a line for each job, and further lines for what became of it. Damaged lines are skipped. */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { rename } from 'node:fs/promises';
import * as v from 'valibot';
import { temporaryName } from '../../util/atomic-file.ts';
import { count, longText, size, text, time } from '../../util/bounds.ts';
import { lineDecoder } from '../../util/json.ts';
import { isWholeLine, withLineSum } from '../../util/line-sum.ts';
import { isUnusable, openOwnFileSync, readTextSync } from '../../util/regular-file.ts';
import type { JobSummary } from './job-summary.ts';

/** Written in each line; 0.1 wrote none. Lines of a later version are skipped. */
const VERSION = 1;

/** Bytes of the file; prune keeps it far shorter. */
const MAX_BYTES = 64 << 20;

const { O_WRONLY, O_APPEND, O_CREAT } = constants;

const LineSchema = v.object({
  id: text(36),
  v: v.optional(v.literal(VERSION)),
  at: v.optional(time),
  by: v.optional(longText),
  hosts: v.optional(count),
  bytes: v.optional(size),
  reason: v.optional(longText),
  name: v.optional(longText),
  noop: v.optional(v.boolean()),
  /** Null: the job was resumed. */
  endedAt: v.nullish(time),
  exit: v.optional(count),
  counts: v.optional(v.record(text(64), count)),
});

type Line = Partial<Omit<JobSummary, 'endedAt'>> & { id: string; endedAt?: number | null };

export interface IndexRead {
  jobs: Map<string, JobSummary>;
  /** Lines in the file, including damaged ones. */
  lines: number;
}

/** Reads the index; `wanted` limits it to these ids. Never throws. */
export function readIndex(path: string, wanted?: ReadonlySet<string>): IndexRead {
  const jobs = new Map<string, JobSummary>();
  // Without it, it is rebuilt from the jobs' folders.
  const text = (readTextSync(path, MAX_BYTES) ?? '').trimEnd();
  if (text === '') return { jobs, lines: 0 };
  const lines = text.split('\n');
  const relevant = wanted === undefined ? lines : lines.filter((line) => mayBeOf(wanted, line));
  for (const line of parseLines(relevant.filter(isWholeLine))) {
    const parsed = v.safeParse(LineSchema, line);
    if (parsed.success) apply(jobs, parsed.output as Line);
  }
  return { jobs, lines: lines.length };
}

/** Never throws: the job's folder holds the same. */
export function appendToIndex(path: string, lines: readonly Line[]): void {
  if (lines.length === 0) return;
  try {
    append(path, textOf(lines));
  } catch (error) {
    // It is only a cache. What is in its place goes, so that there can be one again.
    if (isUnusable(error)) renameAside(path);
  }
}

function append(path: string, text: string): void {
  const descriptor = openOwnFileSync(path, O_WRONLY | O_APPEND | O_CREAT);
  try {
    // Too long to be read, and so of no use.
    if (fstatSync(descriptor).size > MAX_BYTES) ftruncateSync(descriptor);
    writeSync(descriptor, text);
  } finally {
    closeSync(descriptor);
  }
}

function renameAside(path: string): void {
  try {
    renameSync(path, `${path}.damaged`);
  } catch {
    // It stays, and every list reads the jobs' folders.
  }
}

/** A line that another kick appends meanwhile is lost, and rebuilt from the job's folder. */
export async function rewriteIndex(path: string, jobs: readonly JobSummary[]): Promise<void> {
  const temporary = temporaryName(path);
  writeFileSync(temporary, textOf(jobs), { mode: 0o600 });
  await rename(temporary, path);
}

const textOf = (lines: readonly Line[]) =>
  lines.map((line) => `${withLineSum(JSON.stringify({ ...line, v: VERSION }))}\n`).join('');

/** How every line that we write begins. */
const HEAD = '{"id":"';

const SHORTEST = '{"id":"00000000-0000-0000-0000-000000000000"}'.length;

/** Checks without parsing the line. */
function mayBeOf(wanted: ReadonlySet<string>, line: string): boolean {
  return !line.startsWith(HEAD) || wanted.has(line.slice(HEAD.length, HEAD.length + 36));
}

/** Parses all lines at once, which takes a third of the time; one by one if any is damaged. */
function parseLines(lines: readonly string[]): unknown[] {
  try {
    return JSON.parse(`[${lines.join(',')}]`) as unknown[];
  } catch {
    return lines.map(lineDecoder({ shortest: SHORTEST, decode: (value) => value }));
  }
}

function apply(jobs: Map<string, JobSummary>, { v: _version, ...line }: Line & { v?: number }): void {
  const before = jobs.get(line.id);
  if (before !== undefined && line.endedAt === null) {
    for (const key of ['endedAt', 'exit', 'counts'] as const) delete before[key];
  } else if (before !== undefined) Object.assign(before, line);
  else if (typeof line.at === 'number') jobs.set(line.id, line as JobSummary);
}
