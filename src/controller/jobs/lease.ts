/**
 * Who runs a job: a lease in the job's folder, instead of a process id, so that a server that never ends does not keep
 * a crashed job for ever, and two jobs in one process know of each other.
 *
 * Each holder has a file of its own, `lease.N.json`, that is created exclusively: of all who want to follow holder N
 * exactly one gets N+1. A lease file is never removed while the job is there, so the highest number holds, and whoever
 * sees a higher one than its own has lost the job, however long it slept. Its text never changes; its mtime is when it
 * was last renewed, on the machine's monotonic clock, and 0 once it is released: setting a time needs no room on a full
 * disk and cannot be read half written.
 *
 * CLOCK_MONOTONIC stands still while a machine is suspended (clock_gettime(2)), so that sleep costs nobody a lease.
 * A virtual machine may see it jump all the same: a holder whose process is alive is watched for two renewals before
 * it is followed.
 *
 * What is left is a holder that is stopped between its look for a successor and what it does next. It may then send one
 * request a host of which its successor knows nothing. Both are the same (controller, job, attempt) to the agent, which
 * runs it once (DESIGN 4), and both controllers read the one outcome.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { systemCode } from '../../errors.ts';
import { temporaryName } from '../../util/atomic-file.ts';
import type { Machine } from './machine.ts';

/** Milliseconds without a renewal after which a lease has run out. */
export const LEASE_MS = 30_000;

/** Milliseconds between renewals. */
export const RENEW_MS = 5_000;

export interface Lease {
  /** Aborted once another controller has the job. */
  readonly lost: AbortSignal;
  /** Whether nobody has followed; looks at the folder. False as well once it is released. */
  isHeld(): boolean;
  renew(): void;
  /** The job is nobody's from now on. */
  release(): void;
}

/** Who holds a job; enough to name it to people. */
export interface Holder {
  pid: number;
}

const number = v.pipe(v.number(), v.integer(), v.minValue(0));

const LeaseSchema = v.object({
  v: v.literal(1),
  /** The machine's boot, its namespace of process ids, and the process. */
  boot: v.string(),
  space: v.string(),
  pid: number,
  start: v.string(),
  /** Two holders in one process differ in it. */
  token: v.string(),
  /** Monotonic milliseconds when it was taken. */
  at: v.number(),
});

type LeaseFile = v.InferOutput<typeof LeaseSchema>;

/** 0.1 noted only the process. */
const LegacySchema = v.object({ boot: v.string(), pid: number, start: v.string() });

const pathOf = (folder: string, epoch: number) => join(folder, `lease.${epoch}.json`);

/** The text of a first lease, for a job's folder that appears with it; `openLease` then holds it. */
export function firstLease(machine: Machine): { name: string; text: string } {
  return { name: 'lease.1.json', text: textOf(machine) };
}

/** The lease whose file we have created. */
export function openLease(folder: string, machine: Machine, epoch = 1): Lease {
  const lost = new AbortController();
  let isReleased = false;
  const touch = (ms: number) => {
    try {
      utimesSync(pathOf(folder, epoch), ms / 1000, ms / 1000);
    } catch {
      // The folder is gone, and nobody can take the job; or it runs out.
    }
  };
  const lease: Lease = {
    lost: lost.signal,
    isHeld() {
      if (isReleased || lost.signal.aborted) return false;
      if (!existsSync(pathOf(folder, epoch + 1))) return true;
      lost.abort();
      return false;
    },
    renew() {
      if (lease.isHeld()) touch(machine.monotonicMs());
    },
    release() {
      if (lease.isHeld()) touch(0);
      isReleased = true;
    },
  };
  lease.renew();
  return lease;
}

/** The same, renewed by itself until it is released. */
export function keepLease(lease: Lease): Lease {
  const timer = setInterval(lease.renew, RENEW_MS);
  timer.unref();
  return {
    ...lease,
    release() {
      clearInterval(timer);
      lease.release();
    },
  };
}

/** The lease, or who holds it. The folder must exist. */
export async function takeLease(folder: string, machine: Machine): Promise<Lease | Holder> {
  for (;;) {
    const latest = look(folder, machine);
    if (latest.state === 'held') return { pid: latest.pid };
    if (latest.state === 'silent') {
      await machine.sleep(2 * RENEW_MS);
      const now = look(folder, machine);
      if (now.epoch !== latest.epoch || now.renewedAt !== latest.renewedAt) continue;
    }
    if (create(folder, latest.epoch + 1, machine)) return openLease(folder, machine, latest.epoch + 1);
  }
}

/** Who runs the job in this folder; undefined when nobody does. */
export function holderOf(folder: string, machine: Machine): Holder | undefined {
  const { state, pid } = look(folder, machine);
  return state === 'held' ? { pid } : undefined;
}

interface Latest {
  /** 0: nobody has ever had a lease. */
  epoch: number;
  /** `silent`: it has run out, but its process may live. */
  state: 'free' | 'held' | 'silent';
  pid: number;
  renewedAt: number;
}

function look(folder: string, machine: Machine): Latest {
  const epoch = latestEpoch(folder);
  if (epoch === 0) return lookAtLegacy(folder, machine);
  const path = pathOf(folder, epoch);
  const mtime = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const now = machine.monotonicMs();
  const file = readJson(path, LeaseSchema);
  // Until it is renewed for the first time, the mtime is that of the wall.
  const renewedAt = mtime <= now ? mtime : (file?.at ?? 0);
  const isFresh = renewedAt > 0 && now - renewedAt < LEASE_MS;
  const about = { epoch, renewedAt, pid: file?.pid ?? 0 };
  // One of a later kick is judged by its time alone.
  if (file !== undefined && (mtime === 0 || isDead(file, machine))) return { ...about, state: 'free' };
  if (isFresh) return { ...about, state: 'held' };
  return { ...about, state: file === undefined ? 'free' : 'silent' };
}

/** A process of another container can neither be seen here nor be known to be dead. */
function isDead(holder: LeaseFile, machine: Machine): boolean {
  const { boot, space } = machine.self();
  return holder.boot !== boot || (holder.space === space && !machine.isAlive(holder));
}

/** A job of 0.1 is its controller's as long as that process lives. */
function lookAtLegacy(folder: string, machine: Machine): Latest {
  const file = readJson(join(folder, 'controller.json'), LegacySchema);
  const isHeld = file !== undefined && file.boot === machine.self().boot && machine.isAlive(file);
  return { epoch: 0, renewedAt: 0, pid: file?.pid ?? 0, state: isHeld ? 'held' : 'free' };
}

function latestEpoch(folder: string): number {
  try {
    const epochs = readdirSync(folder).map((name) => Number(/^lease\.(\d{1,9})\.json$/.exec(name)?.[1] ?? 0));
    return Math.max(0, ...epochs);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return 0;
    throw error;
  }
}

/** False when somebody else was first. The file appears whole, as a second name of one that is on disk. */
function create(folder: string, epoch: number, machine: Machine): boolean {
  const path = pathOf(folder, epoch);
  const temporary = temporaryName(path);
  try {
    const handle = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(handle, textOf(machine));
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

function textOf(machine: Machine): string {
  const file: LeaseFile = { v: 1, ...machine.self(), token: randomUUID(), at: machine.monotonicMs() };
  return JSON.stringify(file);
}

function readJson<T>(path: string, schema: v.GenericSchema<unknown, T>): T | undefined {
  try {
    const parsed = v.safeParse(schema, JSON.parse(readFileSync(path, 'utf8')));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
