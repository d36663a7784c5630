/**
 * Mutual exclusion by the kernel. The lock is held for as long as this process lives, even while it is stopped, and is
 * free as soon as it has died. Node has no flock(2), but a lock belongs to the open file, not to the process that took
 * it: flock(1) takes it on a descriptor of ours and ends, and the lock stays with the descriptor.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, constants } from 'node:fs';
import { KickError, messageOf, systemCode } from '../errors.ts';
import { openOwnFileSync } from './regular-file.ts';
import { systemPath } from './search-path.ts';

export interface KernelLock {
  release(): void;
}

export interface KernelLockOptions {
  /** What the lock is for, in messages: `state directory "/var/lib/kick"`. */
  label: string;
  /** Describes the current holder. */
  holder(): Promise<string>;
}

/** Seconds to wait for a holder that is about to end: an agent that is being restarted. */
const WAIT_S = 3;
/** flock's exit status for a lock that is held. */
const HELD = 75;

/**
 * Takes the lock at `path`; the file is created if it is missing, and never removed. Blocks for up to three seconds.
 * Throws `KickError` `locked` if another process holds the lock, and `state` if it cannot be taken.
 */
export async function holdKernelLock(
  path: string,
  { label, holder }: KernelLockOptions,
): Promise<KernelLock> {
  const descriptor = openLock(path, label);
  // As descriptor 3 of flock's. Ours is closed on exec, so that no run inherits it.
  const { status, stderr, error } = spawnSync(
    'flock',
    ['--timeout', String(WAIT_S), '--conflict-exit-code', String(HELD), '3'],
    {
      stdio: ['ignore', 'ignore', 'pipe', descriptor],
      cwd: '/',
      env: { PATH: systemPath(), LC_ALL: 'C' },
      encoding: 'utf8',
    },
  );
  if (status === 0) return { release: () => closeSync(descriptor) };
  closeSync(descriptor);
  if (status === HELD) throw new KickError('locked', `take the ${label}: it is held by ${await holder()}`);
  const why = error === undefined ? stderr.trim().slice(0, 500) : messageOf(error);
  throw new KickError('state', `take the ${label}: ${why || `flock ended with ${status}`}`, {
    hint: `flock of util-linux must be able to lock "${path}"`,
  });
}

const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT } = constants;

function openLock(path: string, label: string): number {
  try {
    return openWritable(path);
  } catch (error) {
    const why = systemCode(error) ?? messageOf(error);
    throw new KickError('state', `take the ${label}: open "${path}": ${why}`, {
      hint: 'if it is no file of kick, find out who made it, then remove it; kick makes its own',
      cause: error,
    });
  }
}

/** A file system that has become read-only can still be locked on: whoever asks is told. */
function openWritable(path: string): number {
  try {
    return openOwnFileSync(path, O_WRONLY | O_APPEND | O_CREAT);
  } catch (error) {
    if (systemCode(error) !== 'EROFS') throw error;
    return openOwnFileSync(path, O_RDONLY);
  }
}
