/**
 * Who runs a job: a lease in the job's folder rather than a process id, so that a long-running server does not keep a
 * crashed job for ever, and two controllers in one process see each other.
 *
 * Each holder has a file of its own, `lease.N.json`, created exclusively: of all who want to succeed holder N, exactly
 * one gets N+1. Lease files are never removed while the job exists, so the highest number holds, and a controller that
 * sees a higher number than its own has lost the job, however long it slept. The text of a file never changes. Its mtime
 * is when it was last renewed, on the machine's monotonic clock, and 0 once it is released: setting a time needs no
 * space on a full disk and cannot be read half written.
 *
 * CLOCK_MONOTONIC stands still while a machine is suspended (clock_gettime(2)), so that no lease expires during sleep.
 * In a virtual machine it may jump anyway: if the holder's process may be alive, its lease is watched for two renewals
 * before it is taken over.
 *
 * One gap remains: a holder that is stopped between its check for a successor and its next step. It may then send one
 * request per host that its successor does not know of. To the agent both are the same (controller, job, attempt), which
 * it runs once (DESIGN 4), and both controllers read the same outcome.
 */
import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { systemCode } from '../../errors.ts';
import { temporaryName } from '../../util/atomic-file.ts';
import { count, measure, text } from '../../util/bounds.ts';
import { isUnusable, readTextSync } from '../../util/regular-file.ts';
import type { Machine } from './machine.ts';

/** Milliseconds without a renewal after which a lease has expired. */
export const LEASE_MS = 30_000;

/** Bytes of a lease file. */
const MAX_BYTES = 4096;

/** Milliseconds between renewals. */
export const RENEW_MS = 5_000;

export interface Lease {
  /** Aborted once another controller has taken the job over. */
  readonly lost: AbortSignal;
  /** Checks the folder for a successor. False as well once the lease is released. */
  isHeld(): boolean;
  renew(): void;
  /** From now on nobody holds the job. */
  release(): void;
}

/** Who holds a job, to be named to people. */
export interface Holder {
  pid: number;
}

const LeaseSchema = v.object({
  v: v.literal(1),
  /** The machine's boot, its namespace of process ids, and the process. */
  boot: text(255),
  space: text(255),
  pid: count,
  start: text(255),
  /** Two holders in one process differ in it. */
  token: text(255),
  /** Monotonic milliseconds when it was taken. */
  at: measure,
});

type LeaseFile = v.InferOutput<typeof LeaseSchema>;

/** 0.1 recorded only the process. */
const LegacySchema = v.object({ boot: text(255), pid: count, start: text(255) });

const pathOf = (folder: string, epoch: number) => join(folder, `lease.${epoch}.json`);

/** The file of a first lease, for a job's folder to be created with; `openLease` then holds it. */
export function firstLease(machine: Machine): { name: string; text: string } {
  return { name: 'lease.1.json', text: textOf(machine) };
}

/** Opens the lease whose file we have created. */
export function openLease(folder: string, machine: Machine, epoch = 1): Lease {
  const lost = new AbortController();
  const [path, next] = [pathOf(folder, epoch), pathOf(folder, epoch + 1)];
  let isReleased = false;
  const touch = (ms: number) => {
    try {
      utimesSync(path, ms / 1000, ms / 1000);
    } catch {
      // Either the folder is gone and nobody can take the job, or the lease expires.
    }
  };
  const lease: Lease = {
    lost: lost.signal,
    isHeld() {
      if (isReleased || lost.signal.aborted) return false;
      if (!existsSync(next)) return true;
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

/** Returns the same lease, renewed every `RENEW_MS` until it is released. */
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

/** Returns the lease, or its holder. The folder must exist. */
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

/** Who runs the job in this folder; undefined if nobody does. */
export function holderOf(folder: string, machine: Machine): Holder | undefined {
  const { state, pid } = look(folder, machine);
  return state === 'held' ? { pid } : undefined;
}

interface Latest {
  /** 0: nobody has ever had a lease. */
  epoch: number;
  /** `silent`: it has expired, but its process may be alive. */
  state: 'free' | 'held' | 'silent';
  pid: number;
  renewedAt: number;
}

function look(folder: string, machine: Machine): Latest {
  const latest = lookAtLease(folder, machine);
  const pid = latest.state === 'free' ? legacyHolder(folder, machine) : undefined;
  return pid === undefined ? latest : { ...latest, state: 'held', pid };
}

function lookAtLease(folder: string, machine: Machine): Latest {
  const epoch = latestEpoch(folder);
  if (epoch === 0) return { epoch, renewedAt: 0, pid: 0, state: 'free' };
  const path = pathOf(folder, epoch);
  const mtime = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const now = machine.monotonicMs();
  const file = readJson(path, LeaseSchema);
  // Until the first renewal, the mtime is wall-clock time.
  const renewedAt = mtime <= now ? mtime : (file?.at ?? 0);
  const isFresh = renewedAt > 0 && now - renewedAt < LEASE_MS;
  const about = { epoch, renewedAt, pid: file?.pid ?? 0 };
  // The lease of a newer kick is judged by its time alone.
  if (file !== undefined && (mtime === 0 || isDead(file, machine))) return { ...about, state: 'free' };
  if (isFresh) return { ...about, state: 'held' };
  return { ...about, state: file === undefined ? 'free' : 'silent' };
}

/** A process in another container is invisible from here, so it is never known to be dead. */
function isDead(holder: LeaseFile, machine: Machine): boolean {
  const { boot, space } = machine.self();
  return holder.boot !== boot || (holder.space === space && !machine.isAlive(holder));
}

/** A controller of 0.1 that runs the job, perhaps one that is over for us: it takes no lease, and holds it while it is alive. */
function legacyHolder(folder: string, machine: Machine): number | undefined {
  const file = readJson(join(folder, 'controller.json'), LegacySchema);
  const isHeld = file !== undefined && file.boot === machine.self().boot && machine.isAlive(file);
  return isHeld ? file.pid : undefined;
}

function latestEpoch(folder: string): number {
  try {
    const epochs = readdirSync(folder).map((name) => Number(/^lease\.(\d{1,9})\.json$/.exec(name)?.[1] ?? 0));
    return Math.max(0, ...epochs);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || isUnusable(error)) return 0;
    throw error;
  }
}

/** Returns false if somebody else was first. The file appears whole: it is linked once its text is on disk. */
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
    const parsed = v.safeParse(schema, JSON.parse(readTextSync(path, MAX_BYTES) ?? ''));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined;
  }
}
