/** Finds the folders of jobs, and reads what is in them as if somebody else had written it. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { isUuid } from '../../protocol/names.ts';
import { NEWER_HINT, readStored, StoredProblem } from '../../util/stored-json.ts';
import { EVENTS_NAME, JOB_FILE, JOB_NAME, type JobFile } from './job-file.ts';
import { readEvents } from './job-log.ts';
import { holderOf } from './lease.ts';
import type { Machine } from './machine.ts';
import { type Following, follow, type StoredJob } from './stored-job.ts';

/** Undefined if there is no such job. Throws `KickError` `state` if it cannot be read. */
export async function readJob(
  id: string,
  { folder, machine }: { folder: string; machine: Machine },
): Promise<StoredJob | undefined> {
  const file = await readJobFile(folder, id);
  if (file === undefined) return undefined;
  const state: Following = { results: new Map(), asked: new Map(), awaited: new Map(), end: {} };
  let damaged = 0;
  for (let from = 0; ; ) {
    const { events, next, bad } = await readEvents(join(folder, EVENTS_NAME), from);
    damaged += bad;
    for (const event of events) follow(event, state);
    if (next === from) break;
    from = next;
  }
  const controller = holderOf(folder, machine);
  const { job, settings, createdAt: startedAt } = file;
  const { results, asked, awaited, end } = state;
  const found: StoredJob = { job, settings, startedAt, results, asked, awaited, damaged, ...end };
  return controller === undefined ? found : { ...found, controller };
}

async function readJobFile(folder: string, id: string): Promise<JobFile | undefined> {
  try {
    return await readStored(join(folder, JOB_NAME), JOB_FILE);
  } catch (error) {
    throw new KickError('state', `read the job ${id}: ${messageOf(error)}`, {
      hint: error instanceof StoredProblem && error.isNewer ? NEWER_HINT : `what is left of it: ${folder}`,
      cause: error,
    });
  }
}

/** Returns the id of a job, given its last digits or `last`. Throws `KickError` `usage`. */
export async function findJob(dir: string, text: string): Promise<string> {
  const all = await idsIn(dir);
  const wanted = text.trim().toLowerCase();
  // A variable of a script that is not set is empty: every id ends in nothing.
  const isWanted = (id: string) => wanted !== '' && id.endsWith(wanted);
  const found = wanted === 'last' ? all.slice(-1) : all.filter(isWanted);
  const [first, second] = found;
  if (first !== undefined && second === undefined) return first;
  const why = first === undefined ? 'there is no such job' : `${found.length} jobs end like this`;
  throw new KickError('usage', `find the job "${text}": ${why}`, {
    hint: `kick jobs lists them; they are kept in ${dir}`,
  });
}

async function idsIn(dir: string): Promise<string[]> {
  try {
    return (await readdir(dir)).filter(isUuid).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw new KickError('state', `read the jobs in "${dir}": ${messageOf(error)}`, { cause: error });
  }
}
