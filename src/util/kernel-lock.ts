/**
 * Mutual exclusion by the kernel. The lock is held for as long as this process lives, even while it is stopped, and is
 * free as soon as it has died. Node has no flock(2), but a lock belongs to the open file, not to the process that took
 * it: flock(1) takes it on a descriptor of ours and ends, and the lock stays with the descriptor.
 */
import { spawn } from 'node:child_process';
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
  /** Milliseconds to wait for the holder; defaults to 3 s, for an agent that is being restarted. */
  waitMs?: number;
}

const WAIT_MS = 3000;
/** flock's exit status for a lock that is held. */
const HELD = 75;

/**
 * Takes the lock at `path`; the file is created if it is missing, and never removed. Throws `KickError` `locked` if another
 * holds the lock after the wait, and `state` if it cannot be taken.
 */
export async function holdKernelLock(
  path: string,
  { label, holder, waitMs = WAIT_MS }: KernelLockOptions,
): Promise<KernelLock> {
  const descriptor = openLock(path, label);
  const { status, why } = await flock(descriptor, waitMs / 1000);
  if (status === 0) return { release: () => closeSync(descriptor) };
  closeSync(descriptor);
  if (status === HELD) throw new KickError('locked', `take the ${label}: it is held by ${await holder()}`);
  throw new KickError('state', `take the ${label}: ${why || `flock ended with ${status}`}`, {
    hint: `flock of util-linux must be able to lock "${path}"`,
  });
}

const MAX_WHY = 500;

function flock(descriptor: number, waitS: number): Promise<{ status: number | null; why: string }> {
  return new Promise((resolve) => {
    let why = '';
    // As descriptor 3 of flock's. Ours is closed on exec, so that no run inherits it.
    const child = spawn('flock', ['--timeout', String(waitS), '--conflict-exit-code', String(HELD), '3'], {
      stdio: ['ignore', 'ignore', 'pipe', descriptor],
      cwd: '/',
      env: { PATH: systemPath(), LC_ALL: 'C' },
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      why = (why + text).slice(0, MAX_WHY);
    });
    child.once('error', (error) => resolve({ status: null, why: messageOf(error) }));
    child.once('close', (status) => resolve({ status, why: why.trim() }));
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
