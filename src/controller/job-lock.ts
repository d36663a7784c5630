/** The lock of a job's name: one job of a name at a time, at most one more waits (DESIGN 4). */
import { join } from 'node:path';
import { KickError, messageOf } from '../errors.ts';
import { type HeldLock, holdLock, isFull, lockHolder } from '../util/lock-file.ts';
import type { Site } from './site.ts';

export interface LockWish {
  name: string;
  /** Milliseconds to wait for whoever holds it; defaults to 0. */
  waitMs?: number | undefined;
  /** An emergency takes no lock, and says whose it passes. */
  isEmergency?: boolean | undefined;
}

/** What whoever started the job must know of its lock. */
export type LockNotice =
  | { type: 'passed' | 'waiting'; name: string; holder: string }
  /** The lock cannot be written; the hosts run all the same. */
  | { type: 'without'; name: string; why: string };

export interface TakeLockOptions {
  site: Pick<Site, 'folders' | 'clock'>;
  onNotice(notice: LockNotice): void;
  signal?: AbortSignal | undefined;
}

/** Throws `KickError` `locked` when another holds it, `usage` for a bad name. */
export async function takeLock(wish: LockWish, options: TakeLockOptions): Promise<HeldLock | undefined> {
  const { name } = wish;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) {
    throw new KickError('usage', `--lock: "${name}" is not a name (letters, digits, "_", "." and "-")`);
  }
  const { site, onNotice } = options;
  const path = join(site.folders.stateDir, 'locks', name);
  if (wish.isEmergency === true) {
    const holder = await lockHolder(path, site.clock);
    if (holder !== undefined) onNotice({ type: 'passed', name, holder });
    return undefined;
  }
  try {
    return await holdOrWait(path, wish, options);
  } catch (error) {
    if (!isFull(error instanceof KickError ? error.cause : error)) throw error;
    // As with the memory of a job: the hosts run rather than not; what overlaps waits on each host.
    onNotice({ type: 'without', name, why: messageOf(error) });
    return undefined;
  }
}

async function holdOrWait(
  path: string,
  { name, waitMs = 0 }: LockWish,
  { site: { clock }, onNotice, signal }: TakeLockOptions,
): Promise<HeldLock> {
  const common = { clock, label: `lock "${name}"`, ...(signal !== undefined && { signal }) };
  if (waitMs === 0) return holdLock(path, common);
  // At most one waiter a name: a third one learns which waiter covers it (DESIGN 4).
  const place = await holdLock(`${path}.waiting`, {
    clock,
    label: `place of the one who waits for the lock "${name}"`,
  });
  try {
    return await holdLock(path, {
      ...common,
      waitMs,
      onWaiting: (holder) => onNotice({ type: 'waiting', name, holder }),
    });
  } finally {
    await place.release();
  }
}
