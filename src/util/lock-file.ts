/**
 * Mutual exclusion of well-behaved processes through proper-lockfile. Its limits (facts: a stale
 * takeover can let two in) are bearable where a second holder costs load, never correctness; one
 * run at a time is the kernel's business, see agent/wrapper.ts.
 */
import { lstat, mkdir, readFile, rm, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { type Clock, sleep } from './clock.ts';
import { formatDuration } from './duration.ts';
import { bootId, identify, isAlive } from './proc.ts';

const STALE_MS = 60_000;
const UPDATE_MS = 10_000;
const POLL_MS = 250;

export interface HoldLockOptions {
  /** What the lock is for, in messages: `job lock "nightly"`. */
  label: string;
  clock: Clock;
  /** Called when the lock was lost (another took it for stale); the holder goes on. */
  onCompromised?: (error: Error) => void;
  /** Milliseconds to wait for the holder; 0 unless told. */
  waitMs?: number;
  /** Called once when it begins to wait. */
  onWaiting?: (holder: string) => void;
  signal?: AbortSignal;
}

export interface HeldLock {
  release(): Promise<void>;
}

interface HolderRecord {
  pid: number;
  start: string;
  boot: string;
  since: number;
  /** Which folder is the holder's: a later one at the same path is another's. */
  folder: string;
}

/**
 * Takes the lock at `path` (a folder `path.lock` and a record of the holder beside it). Throws
 * `KickError` `locked`, naming the holder, when it is held and the wait is over; `state` when what
 * is there cannot be a lock of ours.
 */
export async function holdLock(path: string, options: HoldLockOptions): Promise<HeldLock> {
  const { label, clock, waitMs = 0, signal, onCompromised } = options;
  const { default: lockfile } = await import('proper-lockfile');
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const recordPath = `${path}.holder`;
  const giveUp = clock.monotonic() + waitMs;
  let told = false;
  for (;;) {
    await refuseStranger(`${path}.lock`, label);
    await ageOrphan(path, recordPath);
    try {
      const release = await lockfile.lock(path, {
        realpath: false,
        stale: STALE_MS,
        update: UPDATE_MS,
        onCompromised: (error) => onCompromised?.(error),
      });
      await noteHolder(path, clock);
      return { release };
    } catch (error) {
      if (systemCode(error) !== 'ELOCKED') {
        throw new KickError('state', `take the ${label}: ${messageOf(error)}`, { cause: error });
      }
    }
    const holder = describe(await readRecord(recordPath), clock);
    if (!told && waitMs > 0) options.onWaiting?.(holder);
    told = true;
    if (clock.monotonic() >= giveUp || signal?.aborted) {
      throw new KickError('locked', `take the ${label}: it is held by ${holder}`);
    }
    await sleep(POLL_MS, signal);
  }
}

/** Who holds the lock at `path`, for people; undefined when its record names nobody alive. */
export async function lockHolder(path: string, clock: Clock): Promise<string | undefined> {
  const record = await readRecord(`${path}.holder`);
  return record !== undefined && isRunning(record) ? describe(record, clock) : undefined;
}

/** A symlink or a file in the lock's place would block for ever (docs/puppet.md, "Locks"). */
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
 * A holder that was killed leaves its lock for `STALE_MS`. When its record proves it dead, the lock
 * is made old, so that the library's own takeover applies at once; also when the clock was set back
 * and the lock seems to come from the future.
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

/** A full disk costs the record, which is for people and a quick takeover; the lock is held without it. */
async function noteHolder(path: string, clock: Clock): Promise<void> {
  const recordPath = `${path}.holder`;
  try {
    await writeFileAtomic(recordPath, JSON.stringify(await ownRecord(path, clock)));
  } catch (error) {
    if (!isFull(error)) throw error;
    // That of an earlier holder names somebody else.
    await rm(recordPath, { force: true });
  }
}

/** Whether an error says that nothing more can be written there. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error) ?? '');
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
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
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
