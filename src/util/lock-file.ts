/**
 * Mutual exclusion of well-behaved processes through proper-lockfile. Its weakness (taking over a stale lock
 * can let two in) is acceptable where a second holder costs load and never correctness; for one run at a
 * time there is a kernel lock, see agent/runs/wrapper.ts.
 */
import { lstat, mkdir, rm, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isFull, KickError, messageOf, onFiles, systemCode } from '../errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { type Clock, sleep } from './clock.ts';
import { formatDuration } from './duration.ts';
import { bootId, identify, isAlive } from './proc.ts';
import { readRegularFile } from './regular-file.ts';

const STALE_MS = 60_000;
const UPDATE_MS = 10_000;
const POLL_MS = 250;

/** Bytes of the record of a holder. */
const MAX_RECORD_BYTES = 4096;

export interface HoldLockOptions {
  /** What the lock is for, in messages: `job lock "nightly"`. */
  label: string;
  clock: Clock;
  /** Called if the lock is lost (another process considered it stale); the holder goes on. */
  onCompromised?: (error: Error) => void;
  /** Milliseconds to wait for the holder; defaults to 0. */
  waitMs?: number;
  /** Called once when it starts to wait. */
  onWaiting?: (holder: string) => void;
  signal?: AbortSignal;
}

export interface HeldLock {
  /** Never rejects: a lock that was taken away, or whose folder was, is nobody's any more. */
  release(): Promise<void>;
}

interface HolderRecord {
  pid: number;
  start: string;
  boot: string;
  since: number;
  /** Identifies the holder's folder: a later one at the same path belongs to somebody else. */
  folder: string;
}

/**
 * Takes the lock at `path` (a folder `path.lock` and a record of the holder next to it). Throws `KickError`
 * `locked`, naming the holder, if it is still held after the wait; `state` if what is there cannot be a
 * lock of ours.
 */
export async function holdLock(path: string, options: HoldLockOptions): Promise<HeldLock> {
  const { label, clock, waitMs = 0, signal, onCompromised } = options;
  const { default: lockfile } = await import('proper-lockfile');
  const about = { code: 'state', doing: `take the ${label}` } as const;
  await onFiles(about, () => mkdir(dirname(path), { recursive: true, mode: 0o700 }));
  const recordPath = `${path}.holder`;
  const giveUp = clock.monotonic() + waitMs;
  let hasReported = false;
  for (;;) {
    await refuseStranger(`${path}.lock`, label);
    await onFiles(about, () => ageOrphan(path, recordPath));
    try {
      const release = await lockfile.lock(path, {
        realpath: false,
        stale: STALE_MS,
        update: UPDATE_MS,
        onCompromised: (error) => onCompromised?.(error),
      });
      try {
        await noteHolder(path, clock);
      } catch (error) {
        await release();
        throw error;
      }
      return { release: () => release().catch(() => undefined) };
    } catch (error) {
      if (systemCode(error) !== 'ELOCKED') {
        throw new KickError('state', `take the ${label}: ${messageOf(error)}`, { cause: error });
      }
    }
    const holder = describe(await readRecord(recordPath), clock);
    if (!hasReported && waitMs > 0) options.onWaiting?.(holder);
    hasReported = true;
    if (clock.monotonic() >= giveUp || signal?.aborted) {
      throw new KickError('locked', `take the ${label}: it is held by ${holder}`);
    }
    await sleep(POLL_MS, signal);
  }
}

/** Who holds the lock at `path`, for people; undefined if its record names no live process. */
export async function lockHolder(path: string, clock: Clock): Promise<string | undefined> {
  const record = await readRecord(`${path}.holder`);
  return record !== undefined && isRunning(record) ? describe(record, clock) : undefined;
}

/** A symlink or a file in place of the lock would block for ever (docs/puppet.md, "Locks"). */
async function refuseStranger(path: string, label: string): Promise<void> {
  let what: string | undefined;
  try {
    const stat = await lstat(path);
    if (stat.isDirectory()) {
      if (process.getuid?.() === stat.uid || stat.uid === 0) return;
      what = `it belongs to the user with id ${stat.uid}`;
    } else {
      what = stat.isSymbolicLink() ? 'it is a symbolic link' : 'it is not a folder';
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw new KickError('state', `take the ${label}: ${messageOf(error)}`, { cause: error });
  }
  throw new KickError('state', `take the ${label}: "${path}" is no lock of ours, ${what}`, {
    hint: 'find out who made it, then remove it',
  });
}

/**
 * The lock of a killed holder stays for `STALE_MS`. If its record proves the holder dead, the lock is made
 * to look old, so that the library takes it over at once; likewise if the clock was set back and the lock
 * seems to be from the future.
 */
async function ageOrphan(path: string, recordPath: string): Promise<void> {
  const record = await readRecord(recordPath);
  if (record === undefined || isRunning(record)) return;
  if (record.folder !== (await folderId(path))) return;
  try {
    await utimes(`${path}.lock`, 0, 0);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * The record is only for people and quick takeovers: if it cannot be written (the disk is full, or something else is in its
 * place), the lock is held without it. Never rejects.
 */
export async function noteHolder(path: string, clock: Clock): Promise<void> {
  const recordPath = `${path}.holder`;
  const write = async () => writeFileAtomic(recordPath, JSON.stringify(await ownRecord(path, clock)));
  try {
    await write();
  } catch (error) {
    // The record of an earlier holder would name the wrong one.
    await rm(recordPath, { recursive: true, force: true }).catch(() => {});
    if (!isFull(error)) await write().catch(() => {});
  }
}

async function ownRecord(path: string, clock: Clock): Promise<HolderRecord> {
  return {
    pid: process.pid,
    start: identify(process.pid)?.start ?? '',
    boot: bootId(),
    since: clock.now(),
    folder: (await folderId(path)) ?? '',
  };
}

async function folderId(path: string): Promise<string | undefined> {
  try {
    const { ino, birthtimeNs } = await lstat(`${path}.lock`, { bigint: true });
    return `${ino}.${birthtimeNs}`;
  } catch {
    return undefined;
  }
}

function isRunning({ pid, start, boot }: HolderRecord): boolean {
  return boot === bootId() && isAlive({ pid, start });
}

async function readRecord(path: string): Promise<HolderRecord | undefined> {
  try {
    const { bytes } = await readRegularFile(path, MAX_RECORD_BYTES, { follow: false });
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const { pid, start, boot, since, folder } = value as Partial<HolderRecord>;
    return typeof pid === 'number' &&
      typeof start === 'string' &&
      typeof boot === 'string' &&
      typeof since === 'number' &&
      typeof folder === 'string'
      ? { pid, start, boot, since, folder }
      : undefined;
  } catch {
    return undefined;
  }
}

function describe(record: HolderRecord | undefined, clock: Clock): string {
  return record === undefined
    ? 'another process'
    : `pid ${record.pid}, for ${formatDuration(clock.now() - record.since)}`;
}
