/**
 * A controller's record of jobs: one folder each. If the store cannot be written, the job is not recorded but still
 * runs: that is reported once. What reads jobs is loaded by those who do: a run only writes its own.
 */
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError, messageOf } from '../../errors.ts';
import { createFolderAtomic, writeFileAtomic } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';
import { spaceOf } from '../../util/disk-space.ts';
import { readStored, StoredProblem, storedText } from '../../util/stored-json.ts';
import { makeTrustedFolder } from '../../util/trusted-folder.ts';
import { refuseUntrusted } from '../../util/trusted-path.ts';
import type { Job } from './job.ts';
import { EVENTS_NAME, JOB_FILE, JOB_NAME, STOP_ORDER } from './job-file.ts';
import { createJobIndex, type JobIndex } from './job-index.ts';
import type { EventsRead } from './job-log.ts';
import type { JobSummary } from './job-summary.ts';
import { firstLease, type Holder, holderOf, keepLease, type Lease, openLease, takeLease } from './lease.ts';
import { type Machine, thisMachine } from './machine.ts';
import { openRecorder, type Recorder } from './recorder.ts';
import {
  type Before,
  type JobSettings,
  outcomeCounts,
  type StopOrder,
  type StoredJob,
} from './stored-job.ts';

export interface RecordOptions {
  lease: Lease;
  /** Called once, with what was thrown, if the job can no longer be recorded. */
  onTrouble(error: unknown): void;
  /** What an earlier controller had seen. */
  known?: Before | undefined;
  /** An order to stop that is there already still holds; otherwise it is removed. */
  keepsOrder?: boolean | undefined;
}

export interface JobStore {
  readonly index: JobIndex;
  /** Creates the job's folder; the job is then ours to run. Throws if it cannot. */
  create(job: Job, settings: JobSettings): Promise<Lease>;
  /** Takes the lease of a job; returns its holder instead if somebody runs it. Throws `KickError` `state` if it cannot. */
  take(id: string): Promise<Lease | Holder>;
  /** Appends to the job's events. */
  recorder(id: string, options: RecordOptions): Promise<Recorder>;
  /** Undefined if there is no such job. Throws `KickError` `state` if it cannot be read. */
  read(id: string): Promise<StoredJob | undefined>;
  /** Whether the file that says what a job is can be read. */
  isReadable(id: string): Promise<boolean>;
  /** Its events from byte `from` on, and where the next ones will begin. */
  eventsFrom(id: string, from: number): Promise<EventsRead>;
  /** Returns the id of a job, given its last digits or `last`. Throws `KickError` `usage`. */
  find(text: string): Promise<string>;
  /** Throws `KickError` `state` if it cannot be written. */
  order(id: string, order: StopOrder): Promise<void>;
  ordered(id: string): Promise<StopOrder | undefined>;
  /** Who runs a job; undefined if nobody does. */
  holderOf(id: string): Holder | undefined;
  folderOf(id: string): string;
}

/** An operator's order, in the job's folder. */
export const ORDER_FILE = 'stop.json';

const reading = () => import('./job-folders.ts');

/** Throws `KickError` `untrusted` if others can change the folder of jobs or the way to it. */
export function openJobStore(stateDir: string, clock: Clock, machine: Machine = thisMachine): JobStore {
  const dir = join(stateDir, 'jobs');
  const trust = { doing: `use the folder of jobs "${dir}"` };
  refuseUntrusted(dir, trust);
  const folderOf = (id: string) => join(dir, id);
  const eventsOf = (id: string) => join(folderOf(id), EVENTS_NAME);
  const orderOf = (id: string) => join(folderOf(id), ORDER_FILE);
  const index = createJobIndex(dir, async (id) => readSummary(await read(id), eventsOf(id)));
  /** Jobs being recorded by this process, so that readers in it see everything reported so far. */
  const recording = new Map<string, () => Promise<void>>();

  async function create(job: Job, settings: JobSettings): Promise<Lease> {
    await makeTrustedFolder(dir, trust);
    const file = { job, settings, createdAt: clock.now() };
    const lease = firstLease(machine);
    await createFolderAtomic(folderOf(job.id), {
      [JOB_NAME]: storedText(file, JOB_FILE),
      [EVENTS_NAME]: '',
      [lease.name]: lease.text,
    });
    index.add(newSummary(job, { at: file.createdAt, bytes: 0 }));
    return keepLease(openLease(folderOf(job.id), machine));
  }

  async function recorder(id: string, options: RecordOptions): Promise<Recorder> {
    if (options.keepsOrder !== true) await rm(orderOf(id), { recursive: true, force: true });
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
    return (await reading()).readJob(id, { folder: folderOf(id), machine });
  }

  return {
    index,
    create,
    take: (id) => takeJob(folderOf(id), machine),
    recorder,
    read,
    isReadable: (id) => isReadable(join(folderOf(id), JOB_NAME)),
    eventsFrom: async (id, from) => (await import('./job-log.ts')).readEvents(eventsOf(id), from),
    find: async (text) => (await reading()).findJob(dir, text),
    holderOf: (id) => holderOf(folderOf(id), machine),
    folderOf,
    order: (id, order) => writeOrder(orderOf(id), order),
    ordered: (id) => readOrder(orderOf(id)),
  };
}

/** Throws `KickError` `state`. */
async function takeJob(folder: string, machine: Machine): Promise<Lease | Holder> {
  try {
    const taken = await takeLease(folder, machine);
    return 'lost' in taken ? keepLease(taken) : taken;
  } catch (error) {
    throw new KickError('state', `take the job in "${folder}": ${messageOf(error)}`, { cause: error });
  }
}

function isReadable(file: string): Promise<boolean> {
  return readStored(file, JOB_FILE).then(
    (found) => found !== undefined,
    () => false,
  );
}

/** Whoever wrote an order that cannot be read wants the job to stop; what else they want is not known. */
async function readOrder(path: string): Promise<StopOrder | undefined> {
  try {
    return await readStored(path, STOP_ORDER);
  } catch (error) {
    if (!(error instanceof StoredProblem)) return undefined; // it may pass
    const whose = error.isNewer ? 'of a newer version of kick' : 'that cannot be read';
    return { at: 0, by: `an order ${whose}`, cancel: false };
  }
}

/** Throws `KickError` `state`. */
async function writeOrder(path: string, order: StopOrder): Promise<void> {
  try {
    await writeFileAtomic(path, storedText(order, STOP_ORDER));
  } catch (error) {
    throw new KickError('state', `write the order "${path}": ${messageOf(error)}`, { cause: error });
  }
}

/** Reads the index entry of a job from its folder. */
async function readSummary(stored: StoredJob | undefined, events: string): Promise<JobSummary | undefined> {
  if (stored === undefined) return undefined;
  const { job, startedAt, endedAt, results } = stored;
  const found = await stat(events).catch(() => undefined);
  return {
    ...newSummary(job, { at: startedAt, bytes: found === undefined ? 0 : spaceOf(found) }),
    ...(endedAt !== undefined && { endedAt, counts: outcomeCounts(results.values()) }),
  };
}

function newSummary(job: Job, { at, bytes }: { at: number; bytes: number }): JobSummary {
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
