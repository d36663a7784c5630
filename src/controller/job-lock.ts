/** The lock named after a job: one job per name runs at a time, and at most one more waits (DESIGN 4). */
import { dirname, join } from 'node:path';
import { isFull, KickError, messageOf, onFiles } from '../errors.ts';
import { type HeldLock, holdLock, lockHolder } from '../util/lock-file.ts';
import { makeTrustedFolder } from '../util/trusted-folder.ts';
import type { Site } from './site.ts';

export interface LockWish {
  name: string;
  /** Milliseconds to wait for its holder; defaults to 0. */
  waitMs?: number | undefined;
  /** An emergency takes no lock, and reports whose lock it ignores. */
  isEmergency?: boolean | undefined;
}

/** What the requester must know about the lock. */
export type LockNotice =
  | { type: 'passed' | 'waiting'; name: string; holder: string }
  /** The lock cannot be written; the hosts run anyway. */
  | { type: 'without'; name: string; why: string };

export interface TakeLockOptions {
  site: Pick<Site, 'folders' | 'clock' | 'enterState'>;
  onNotice(notice: LockNotice): void;
  signal?: AbortSignal | undefined;
}

/**
 * Throws `KickError` `locked` if somebody else holds it, `usage` for a bad name, `untrusted` if others can change the folder
 * of locks or the way to it.
 */
export async function takeLock(wish: LockWish, options: TakeLockOptions): Promise<HeldLock | undefined> {
  const { name } = wish;
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)) {
    throw new KickError('usage', `--lock: "${name}" is not a name (letters, digits, "_", "." and "-")`);
  }
  const { site, onNotice } = options;
  await site.enterState();
  const path = join(site.folders.stateDir, 'locks', name);
  if (wish.isEmergency === true) {
    const holder = await lockHolder(path, site.clock);
    if (holder !== undefined) onNotice({ type: 'passed', name, holder });
    return undefined;
  }
  try {
    const doing = `take the lock "${name}"`;
    return await onFiles({ code: 'state', doing }, async () => {
      await makeTrustedFolder(dirname(path), { doing });
      return await holdOrWait(path, wish, options);
    });
  } catch (error) {
    if (!isFull(error instanceof KickError ? error.cause : error)) throw error;
    // A full disk must not keep hosts from running; runs that overlap wait on each host.
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
  // At most one waiter per name: a third is refused and sees which waiter covers it (DESIGN 4).
  const place = await holdLock(`${path}.waiting`, {
    clock,
    label: `place in the queue for the lock "${name}"`,
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
