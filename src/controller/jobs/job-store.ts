/**
 * What a controller remembers: a folder a job. A store that cannot be written costs the memory of a job, never the job:
 * that is reported once, and the hosts run.
 */
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { isUuid } from '../../protocol/names.ts';
import { createFolderAtomic, writeFileAtomic } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';
import { readStored, StoredProblem, storedText } from '../../util/stored-json.ts';
import type { Job } from './job.ts';
import { JOB_FILE, type JobFile, STOP_ORDER } from './job-file.ts';
import { createJobIndex, type JobIndex, type JobSummary } from './job-index.ts';
import { type EventsRead, readEvents } from './job-log.ts';
import { firstLease, type Holder, holderOf, keepLease, type Lease, openLease, takeLease } from './lease.ts';
import { type Machine, thisMachine } from './machine.ts';
import { openRecorder, type Recorder } from './recorder.ts';
import {
  type Before,
  type Following,
  follow,
  type JobSettings,
  outcomeCounts,
  type StopOrder,
  type StoredJob,
} from './stored-job.ts';

export interface RecordOptions {
  lease: Lease;
  /** Called once when the job can no longer be written down; nothing is thrown. */
  onTrouble(why: string): void;
  /** What an earlier controller had seen. */
  known?: Before | undefined;
}

export interface JobStore {
  readonly index: JobIndex;
  /** Makes the job's folder, which is then ours to run. Throws when it cannot. */
  create(job: Job, settings: JobSettings): Promise<Lease>;
  /** The lease of a job that nobody runs, or who does. */
  take(id: string): Promise<Lease | Holder>;
  /** Appends to the job's events, and forgets orders to stop it. */
  recorder(id: string, options: RecordOptions): Promise<Recorder>;
  /** Undefined where there is no such job. Throws `KickError` `state` for a job that cannot be read. */
  read(id: string): Promise<StoredJob | undefined>;
  /** Its events from `from` bytes on, and where the next ones will begin. */
  eventsFrom(id: string, from: number): Promise<EventsRead>;
  /** The whole id of a job by its last digits, or `last`. Throws `KickError` `usage`. */
  find(text: string): Promise<string>;
  order(id: string, order: StopOrder): Promise<void>;
  ordered(id: string): Promise<StopOrder | undefined>;
  /** Who runs a job; undefined when nobody does. */
  holderOf(id: string): Holder | undefined;
  folderOf(id: string): string;
}

/** An operator's order, in the job's folder. */
export const ORDER_FILE = 'stop.json';

const FILE = 'job.json';
const EVENTS_FILE = 'events.jsonl';

export function openJobStore(stateDir: string, clock: Clock, machine: Machine = thisMachine): JobStore {
  const dir = join(stateDir, 'jobs');
  const folderOf = (id: string) => join(dir, id);
  const eventsOf = (id: string) => join(folderOf(id), EVENTS_FILE);
  const orderOf = (id: string) => join(folderOf(id), ORDER_FILE);
  const index = createJobIndex(dir, async (id) => summaryOf(await read(id), eventsOf(id)));
  /** Jobs that are being recorded here: whoever reads one in this process sees what was reported. */
  const recording = new Map<string, () => Promise<void>>();

  async function create(job: Job, settings: JobSettings): Promise<Lease> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const file = { job, settings, createdAt: clock.now() };
    const lease = firstLease(machine);
    await createFolderAtomic(folderOf(job.id), {
      [FILE]: storedText(file, JOB_FILE),
      [EVENTS_FILE]: '',
      [lease.name]: lease.text,
    });
    index.add(beginningOf(job, { at: file.createdAt, bytes: 0 }));
    return keepLease(openLease(folderOf(job.id), machine));
  }

  async function recorder(id: string, options: RecordOptions): Promise<Recorder> {
    await rm(orderOf(id), { force: true });
    const recorder = await openRecorder({
      ...options,
      path: eventsOf(id),
      onEnd: (end) => index.end(id, { endedAt: clock.now(), ...end }),
    });
    if (options.known !== undefined) index.reopen(id);
    recording.set(id, recorder.written);
    const close = async (end?: { exit: number }) => {
      if (recording.get(id) === recorder.written) recording.delete(id);
      await recorder.close(end);
    };
    return { ...recorder, close };
  }

  async function read(id: string): Promise<StoredJob | undefined> {
    await recording.get(id)?.();
    return readJob(id, { folder: folderOf(id), machine });
  }

  return {
    index,
    create,
    take: (id) => takeJob(folderOf(id), machine),
    recorder,
    read,
    eventsFrom: (id, from) => readEvents(eventsOf(id), from),
    find: (text) => findJob(dir, text),
    holderOf: (id) => holderOf(folderOf(id), machine),
    folderOf,
    order: (id, order) => writeFileAtomic(orderOf(id), storedText(order, STOP_ORDER)),
    ordered: (id) => readStored(orderOf(id), STOP_ORDER).catch(() => undefined),
  };
}

async function takeJob(folder: string, machine: Machine): Promise<Lease | Holder> {
  const taken = await takeLease(folder, machine);
  return 'lost' in taken ? keepLease(taken) : taken;
}

async function readJob(
  id: string,
  { folder, machine }: { folder: string; machine: Machine },
): Promise<StoredJob | undefined> {
  const file = await readJobFile(folder, id);
  if (file === undefined) return undefined;
  const state: Following = { results: new Map(), asked: new Map(), end: {} };
  let damaged = 0;
  for (let from = 0; ; ) {
    const { events, next, bad } = await readEvents(join(folder, EVENTS_FILE), from);
    damaged += bad;
    for (const event of events) follow(event, state);
    if (next === from) break;
    from = next;
  }
  const controller = holderOf(folder, machine);
  const { job, settings, createdAt: startedAt } = file;
  const { results, asked, end } = state;
  const found: StoredJob = { job, settings, startedAt, results, asked, damaged, ...end };
  return controller === undefined ? found : { ...found, controller };
}

async function readJobFile(folder: string, id: string): Promise<JobFile | undefined> {
  try {
    return await readStored(join(folder, FILE), JOB_FILE);
  } catch (error) {
    throw new KickError('state', `read the job ${id}: ${messageOf(error)}`, {
      hint:
        error instanceof StoredProblem && error.isNewer
          ? 'it is left alone; use that version of kick'
          : `what is left of it: ${folder}`,
      cause: error,
    });
  }
}

async function findJob(dir: string, text: string): Promise<string> {
  const all = await idsIn(dir);
  const wanted = text.toLowerCase();
  const found = wanted === 'last' ? all.slice(-1) : all.filter((id) => id === wanted || id.endsWith(wanted));
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

/** What the index says of a job that it does not know: its folder is read. */
async function summaryOf(stored: StoredJob | undefined, events: string): Promise<JobSummary | undefined> {
  if (stored === undefined) return undefined;
  const { job, startedAt, endedAt, results } = stored;
  const { size } = await stat(events).catch(() => ({ size: 0 }));
  return {
    ...beginningOf(job, { at: startedAt, bytes: size }),
    ...(endedAt !== undefined && { endedAt, counts: outcomeCounts(results.values()) }),
  };
}

function beginningOf(job: Job, { at, bytes }: { at: number; bytes: number }): JobSummary {
  const { id, by, action, name } = job;
  return {
    id,
    at,
    by: `${by.user}@${by.host}`,
    hosts: job.targets.length,
    bytes,
    ...(by.reason !== undefined && { reason: by.reason }),
    ...(name !== undefined && { name }),
    ...(action.noop === true && { noop: true }),
  };
}
