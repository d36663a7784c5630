/** Puppet's lock files: agent_catalog_run.lock, and what it has in common with agent_disabled.lock. */
import { lstat } from 'node:fs/promises';
import { KickError, messageOf, systemCode } from '../../errors.ts';
import type { Holder } from '../../protocol/event.ts';
import { boundedTime } from '../../util/bounds.ts';
import { isZombie, type ProcessId, startOf } from '../../util/proc.ts';
import { type RegularFile, readRegularFile } from '../../util/regular-file.ts';
import { commWords, describeProcess, isPuppet, isPuppetAgent } from './puppet-process.ts';

/** An empty lock file younger than this is just being written (DESIGN 4). */
const BEING_WRITTEN_MS = 5000;

/** Milliseconds by which a holder may seem to have started after its lock was written: clock ticks, file times. */
const TOLERANCE_MS = 2000;

const MAX_BYTES = 64 * 1024;

/** Reads a lock file of Puppet's; undefined if there is none. Throws `KickError` `puppet` if it cannot be read. */
export async function readLockFile(path: string): Promise<RegularFile | undefined> {
  try {
    return await readRegularFile(path, MAX_BYTES);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return undefined;
    throw new KickError('puppet', `read Puppet's lock "${path}": ${whyNot(error)}`, {
      hint: 'find out who made it, then remove it: Puppet makes its own',
      cause: error,
    });
  }
}

/** Node's message without the call and the path: `permission denied (EACCES)`. */
export function whyNot(error: unknown): string {
  const [, code, words] = /^([A-Z]+): (.*?), \w+/.exec(messageOf(error)) ?? [];
  return code === undefined ? messageOf(error) : `${words} (${code})`;
}

/**
 * Who holds agent_catalog_run.lock, by Puppet's own rule for stale locks (lib/puppet/util/pidlock.rb); undefined if nobody
 * does. `now` is milliseconds since 1970. Throws `KickError` `puppet` for a lock that cannot be judged.
 */
export async function catalogRunHolder(path: string, now: number): Promise<Holder | undefined> {
  const lock = await readLockFile(path);
  if (lock === undefined) {
    await refuseLinkToNothing(path);
    return undefined;
  }
  const since = boundedTime(lock.mtimeMs);
  const text = lock.bytes.toString('latin1');
  if (text.trim() === '') {
    return Math.abs(now - since) < BEING_WRITTEN_MS ? { what: 'a Puppet run that begins', since } : undefined;
  }
  const pid = rubyInteger(text);
  const start = pid === undefined ? undefined : startOf(pid);
  if (pid === undefined || start === undefined || !isPuppet(pid)) return undefined;
  return describeHolder({ pid, start }, { path, since });
}

/** Puppet would wait for ever: it neither creates a lock where a link is, nor clears one that is no file. */
async function refuseLinkToNothing(path: string): Promise<void> {
  try {
    await lstat(path);
  } catch {
    return;
  }
  // A run may have started meanwhile.
  if ((await readLockFile(path)) !== undefined) return;
  throw new KickError('puppet', `read Puppet's lock "${path}": it is a symbolic link that leads nowhere`, {
    hint: 'remove it: Puppet makes its own',
  });
}

function describeHolder(process: ProcessId, { path, since }: { path: string; since: number }): Holder {
  const { pid } = process;
  const described = describeProcess(process);
  const isZombified = isZombie(pid);
  const isLater = described.began !== undefined && described.began > since + TOLERANCE_MS;
  const isAgent = isPuppetAgent(pid);
  const what = isAgent ? 'puppet agent, not by kick' : `${commWords(pid)}, not by kick`;
  const remedy = `if it is no run of Puppet, remove ${path} there`;
  if (!isZombified && !isLater) return { pid, what, since, ...(!isAgent && { ...described, next: remedy }) };
  return {
    pid,
    what,
    since,
    ...described,
    isRun: false,
    stuck: isZombified
      ? 'it has ended, and its parent process has not noticed'
      : 'it began after the lock was written: most likely a later process with the same pid',
    next: `Puppet waits for it, too: ${remedy}`,
  };
}

/**
 * Ruby's Kernel#Integer, with which Puppet reads its lock: surrounding blanks, a sign, a base (`0x1f`, `0b1`, `017`) and
 * single underscores between digits. Undefined if it is no number or no pid.
 */
export function rubyInteger(text: string): number | undefined {
  const [, sign, prefix = '', digits = ''] =
    /^[\t-\r ]*([+-]?)(0[xobd]|0_?(?=\d))?([0-9a-f]+(?:_[0-9a-f]+)*)[\t-\r ]*$/i.exec(text) ?? [];
  const base = BASES[prefix.toLowerCase().replace('_', '')] ?? 10;
  const plain = digits.replaceAll('_', '').toLowerCase();
  const allowed = '0123456789abcdef'.slice(0, base);
  if (sign === '-' || plain === '' || ![...plain].every((digit) => allowed.includes(digit))) return undefined;
  const value = Number.parseInt(plain, base);
  return value > 0 && value <= MAX_PID ? value : undefined;
}

const BASES: Readonly<Record<string, number>> = { '0x': 16, '0b': 2, '0o': 8, '0d': 10, '0': 8 };

/** linux/threads.h, PID_MAX_LIMIT. */
const MAX_PID = 4 * 1024 * 1024;
