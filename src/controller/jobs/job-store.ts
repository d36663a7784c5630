/**
 * What a controller remembers: a folder a job. Its events are appended in order, whole lines a write,
 * and told to people only when they are written: a kill -9 loses what nobody has seen, and damages
 * nothing. A store that cannot be written costs the memory of a job, never the job: it is said once,
 * and the hosts run.
 */
import { openSync } from 'node:fs';
import { mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import { isUuid } from '../../protocol/names.ts';
import { createAppendLog } from '../../util/append-log.ts';
import { createFolderAtomic, writeFileAtomic } from '../../util/atomic-file.ts';
import type { Clock } from '../../util/clock.ts';
import { readOwnJson } from '../../util/files.ts';
import { bootId, identify, isAlive, type ProcessId } from '../../util/proc.ts';
import type { Before } from '../rollout/run-job.ts';
import type { HostResult, Job, JobEvent, JobLog, StopReason } from './job.ts';
import { createJobIndex, type JobIndex } from './job-index.ts';
import { decodeStored, encodeStored, type StoredJobEvent } from './job-record.ts';

/** How a job is run, beside what it asks of its hosts; needed to go on with it. */
export interface JobSettings {
  lostAfterMs: number;
  connectTimeoutMs: number;
  timeoutMs?: number;
  detach?: boolean;
  /** Outcomes that are shown, but do not count for the exit status. */
  accept: readonly string[];
  /** Percent of hosts that must have done as asked. */
  success?: number;
  /** There were hosts that could not be judged, and were left out. */
  partial?: boolean;
  /** kick's version. */
  version: string;
}

/** What an operator has asked of a job that runs. */
export interface StopOrder {
  at: number;
  by: string;
  cancel: boolean;
}

/** A job as far as it is known. */
export interface StoredJob {
  job: Job;
  settings: JobSettings;
  startedAt: number;
  /** Absent: it is not over, or its controller died. */
  endedAt?: number;
  stopped?: StopReason;
  /** By certname. */
  results: ReadonlyMap<string, HostResult>;
  /** The last event seen of hosts that a request may have reached; 0 for none. */
  asked: ReadonlyMap<string, number>;
  /** The process that drives it, if it lives. */
  controller?: ProcessId;
  /** Lines that could not be read. */
  damaged: number;
}

export interface Recorder extends JobLog {
  /** `then` is called when the event is written, or cannot be; in the order of the events. */
  on(event: JobEvent, then?: () => void): void;
  /** Notes that it is over, and closes. */
  close(end?: { exit: number }): Promise<void>;
}

export interface JobStore {
  readonly index: JobIndex;
  /** Makes the job's folder. Throws when it cannot. */
  create(job: Job, settings: JobSettings): Promise<void>;
  /** Appends to the job's events; `onTrouble` is called once when that fails, and nothing is thrown. */
  recorder(id: string, onTrouble: (why: string) => void, known?: Before): Promise<Recorder>;
  /** Undefined where there is no such job. Throws `KickError` `state` for a job that cannot be read. */
  read(id: string): Promise<StoredJob | undefined>;
  /** Its events from `from` bytes on, and where the next ones will begin. */
  eventsFrom(id: string, from: number): Promise<{ events: StoredJobEvent[]; next: number }>;
  /** The whole id of a job by its last digits, or `last`. Throws `KickError` `usage`. */
  find(text: string): Promise<string>;
  order(id: string, order: StopOrder): Promise<void>;
  ordered(id: string): Promise<StopOrder | undefined>;
  /** The process that drives a job; undefined when none does. */
  controllerOf(id: string): Promise<ProcessId | undefined>;
  folderOf(id: string): string;
}

/** An operator's order, in the job's folder. */
export const ORDER_FILE = 'stop.json';

/** Bytes of one job from which on Puppet's log lines are no longer kept; what became of the hosts is. */
const MAX_LOG_BYTES = 512 << 20;

/** Bytes of events read at once. */
const CHUNK = 4 << 20;

interface JobFile {
  job: Job;
  settings: JobSettings;
  createdAt: number;
}

export function openJobStore(stateDir: string, clock: Clock): JobStore {
  const dir = join(stateDir, 'jobs');
  const folderOf = (id: string) => join(dir, id);
  const eventsOf = (id: string) => join(folderOf(id), 'events.jsonl');
  const index = createJobIndex(dir, summaryOf);
  /** Jobs that are being recorded here: whoever reads one in this process sees what was told. */
  const recording = new Map<string, () => Promise<void>>();

  async function create(job: Job, settings: JobSettings): Promise<void> {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    const file: JobFile = { job, settings, createdAt: clock.now() };
    await createFolderAtomic(folderOf(job.id), {
      'job.json': JSON.stringify(file),
      'events.jsonl': '',
    });
    const { id, by, action, name } = job;
    index.add({
      ...{ id, at: file.createdAt, by: `${by.user}@${by.host}`, hosts: job.targets.length, bytes: 0 },
      ...(by.reason !== undefined && { reason: by.reason }),
      ...(name !== undefined && { name }),
      ...(action.op === 'run' && action.noop === true && { noop: true }),
    });
  }

  async function recorder(id: string, onTrouble: (why: string) => void, known?: Before): Promise<Recorder> {
    const path = eventsOf(id);
    await dropTornLine(path);
    await rm(join(folderOf(id), ORDER_FILE), { force: true });
    await writeFileAtomic(
      join(folderOf(id), 'controller.json'),
      JSON.stringify({ ...identify(process.pid), boot: bootId() }),
    );
    if (known !== undefined) index.reopen(id);
    let added = (await stat(path)).size;
    let isBroken = false;
    const trouble = (error: unknown) => {
      if (!isBroken) onTrouble(messageOf(error));
      isBroken = true;
    };
    const log = createAppendLog(openSync(path, 'a', 0o600), trouble);
    recording.set(id, log.written);
    const encode = encodeStored();
    const results = new Map<string, HostResult>(known?.results);

    function textOf(event: JobEvent): string {
      if (isBroken || isLeftOut(event)) return '';
      try {
        return encode(event).join('');
      } catch (error) {
        trouble(error);
        return '';
      }
    }

    /** What the file holds already, and what there is too much of. */
    function isLeftOut(event: JobEvent): boolean {
      if (event.type === 'host-done') return known?.results.get(event.result.certname) === event.result;
      return added > MAX_LOG_BYTES && event.type === 'host-event' && event.event.type === 'log';
    }

    return {
      on(event, then) {
        if (event.type === 'host-done') results.set(event.result.certname, event.result);
        const text = textOf(event);
        added += text.length;
        log.add(text, then);
      },
      written: log.written,
      room: log.room,
      async close(end) {
        await log.close();
        recording.delete(id);
        if (end === undefined) return;
        try {
          const { size } = await stat(path);
          index.end(id, {
            endedAt: clock.now(),
            exit: end.exit,
            counts: countsOf(results.values()),
            bytes: size,
          });
        } catch (error) {
          onTrouble(messageOf(error));
        }
      },
    };
  }

  async function read(id: string): Promise<StoredJob | undefined> {
    await recording.get(id)?.();
    const file = await readJobFile(id);
    if (file === undefined) return undefined;
    const results = new Map<string, HostResult>();
    const asked = new Map<string, number>();
    const more: { endedAt?: number; stopped?: StopReason } = {};
    let damaged = 0;
    for (let from = 0; ; ) {
      const { events, next, bad } = await readEvents(id, from);
      damaged += bad;
      for (const event of events) follow(event, { results, asked, more });
      if (next === from) break;
      from = next;
    }
    const controller = await controllerOf(id);
    return {
      ...{ job: file.job, settings: file.settings, startedAt: file.createdAt, results, asked, damaged },
      ...more,
      ...(controller !== undefined && { controller }),
    };
  }

  async function readJobFile(id: string): Promise<JobFile | undefined> {
    try {
      return await readOwnJson<JobFile>(join(folderOf(id), 'job.json'));
    } catch (error) {
      throw new KickError('state', `read the job ${id}: ${messageOf(error)}`, {
        hint: `what is left of it: ${folderOf(id)}`,
        cause: error,
      });
    }
  }

  async function readEvents(
    id: string,
    from: number,
  ): Promise<{ events: StoredJobEvent[]; next: number; bad: number }> {
    let bytes: Buffer;
    try {
      const handle = await open(eventsOf(id), 'r');
      try {
        const { size } = await handle.stat();
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK, Math.max(0, size - from)));
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, from);
        bytes = buffer.subarray(0, bytesRead);
      } finally {
        await handle.close();
      }
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return { events: [], next: from, bad: 0 };
      throw new KickError('state', `read the job ${id}: ${messageOf(error)}`, { cause: error });
    }
    const end = bytes.lastIndexOf(0x0a) + 1;
    const events: StoredJobEvent[] = [];
    let bad = 0;
    for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
      if (line === '') continue;
      const event = decodeStored(line);
      if (event === undefined) bad += 1;
      else events.push(event);
    }
    return { events, next: from + end, bad };
  }

  async function controllerOf(id: string): Promise<ProcessId | undefined> {
    const found = await readOwnJson<ProcessId & { boot: string }>(
      join(folderOf(id), 'controller.json'),
    ).catch(() => undefined);
    if (found === undefined || found.boot !== bootId() || !isAlive(found)) return undefined;
    return { pid: found.pid, start: found.start };
  }

  async function ids(): Promise<string[]> {
    try {
      return (await readdir(dir)).filter(isUuid).sort();
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw new KickError('state', `read the jobs in "${dir}": ${messageOf(error)}`, { cause: error });
    }
  }

  async function find(text: string): Promise<string> {
    const all = await ids();
    const wanted = text.toLowerCase();
    const found =
      wanted === 'last' ? all.slice(-1) : all.filter((id) => id === wanted || id.endsWith(wanted));
    const [first, second] = found;
    if (first !== undefined && second === undefined) return first;
    const why = first === undefined ? 'there is no such job' : `${found.length} jobs end like this`;
    throw new KickError('usage', `find the job "${text}": ${why}`, {
      hint: `kick jobs lists them; they are kept in ${dir}`,
    });
  }

  /** What the index says of a job that it does not know: its folder is read. */
  async function summaryOf(id: string) {
    const stored = await read(id);
    if (stored === undefined) return undefined;
    const { job, startedAt, endedAt, results } = stored;
    const { size } = await stat(eventsOf(id)).catch(() => ({ size: 0 }));
    return {
      ...{ id, at: startedAt, by: `${job.by.user}@${job.by.host}`, hosts: job.targets.length, bytes: size },
      ...(job.by.reason !== undefined && { reason: job.by.reason }),
      ...(job.name !== undefined && { name: job.name }),
      ...(job.action.noop === true && { noop: true }),
      ...(endedAt !== undefined && { endedAt, counts: countsOf(results.values()) }),
    };
  }

  return {
    index,
    create,
    recorder,
    read,
    eventsFrom: readEvents,
    find,
    controllerOf,
    folderOf,
    order: (id, order) => writeFileAtomic(join(folderOf(id), ORDER_FILE), JSON.stringify(order)),
    ordered: (id) => readOwnJson<StopOrder>(join(folderOf(id), ORDER_FILE)).catch(() => undefined),
  };
}

interface Following {
  results: Map<string, HostResult>;
  asked: Map<string, number>;
  more: { endedAt?: number; stopped?: StopReason };
}

function follow(event: StoredJobEvent, { results, asked, more }: Following): void {
  switch (event.type) {
    case 'job-started':
      // It was taken up again.
      delete more.endedAt;
      delete more.stopped;
      break;
    case 'host-dispatched':
      results.delete(event.certname);
      break;
    case 'request-signed':
      // It is written before it is sent: what is not written cannot have arrived.
      asked.set(event.certname, asked.get(event.certname) ?? 0);
      break;
    case 'host-event':
      // The end of a run counts with its `host-done`; where a kill came between, the agent tells it once more.
      if (event.event.type === 'resources' || event.event.type === 'finished') break;
      asked.set(event.certname, Math.max(event.event.seq, asked.get(event.certname) ?? 0));
      break;
    case 'host-done': {
      const { certname, outcome } = event.result;
      results.set(certname, event.result);
      // DESIGN 3: both are said only of a host that no request can have reached.
      if (outcome === 'not-started' || outcome === 'unreachable') asked.delete(certname);
      break;
    }
    case 'job-done':
      more.endedAt = event.at;
      if (event.stopped !== undefined) more.stopped = event.stopped;
  }
}

/** What a kill -9 in the middle of a write has left: it was never a whole event. */
async function dropTornLine(path: string): Promise<void> {
  const { size } = await stat(path);
  if (size === 0) return;
  const handle = await open(path, 'r');
  let keep = 0;
  try {
    const tail = Buffer.alloc(Math.min(size, CHUNK));
    await handle.read(tail, 0, tail.length, size - tail.length);
    keep = size - tail.length + tail.lastIndexOf(0x0a) + 1;
  } finally {
    await handle.close();
  }
  if (keep < size) await truncate(path, keep);
}

/** Hosts by outcome. */
export function countsOf(results: Iterable<HostResult>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome } of results) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
