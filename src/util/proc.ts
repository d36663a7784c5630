/** Processes in Linux's /proc. A pid identifies a process only together with its start time. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessId {
  pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks since boot (proc(5)). */
  start: string;
}

interface Stat {
  state: string;
  ppid: number;
  session: number;
  start: string;
}

function statOf(pid: number): Stat | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in parentheses may contain blanks and parentheses: count from the last ")".
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, ppid, session, start] = [fields[0], fields[1], fields[3], fields[19]];
  if (state === undefined || start === undefined) return undefined;
  return { state, ppid: Number(ppid), session: Number(session), start };
}

/** The process that has this pid now; undefined if there is none or only a zombie. */
export function identify(pid: number): ProcessId | undefined {
  const stat = statOf(pid);
  return stat === undefined || stat.state === 'Z' || stat.state === 'X'
    ? undefined
    : { pid, start: stat.start };
}

/** Whether the identified process is alive, rather than a later one with its pid. */
export function isAlive(process: ProcessId): boolean {
  return identify(process.pid)?.start === process.start;
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** All live descendants of a process, nearest first, without the process itself. */
export function descendants(root: number): ProcessId[] {
  const byParent = new Map<number, ProcessId[]>();
  for (const pid of allPids()) {
    const stat = statOf(pid);
    if (stat === undefined || stat.state === 'Z') continue;
    const siblings = byParent.get(stat.ppid) ?? [];
    siblings.push({ pid, start: stat.start });
    byParent.set(stat.ppid, siblings);
  }
  const found: ProcessId[] = [];
  const queue = [root];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    for (const child of byParent.get(pid) ?? []) {
      found.push(child);
      queue.push(child.pid);
    }
  }
  return found;
}

export interface LockHolder extends ProcessId {
  /** Its session: the pid of the session leader, which may be gone. */
  session: number;
  /** Whether it was opened for appending. */
  isAppending: boolean;
}

/**
 * The live processes that share a lock (flock(2)) on the file at `path`, not those that have merely opened it. Only root
 * sees processes of other users.
 */
export function flockHolders(path: string): LockHolder[] {
  return allPids().flatMap((pid) => {
    const flags = lockedFlags(pid, path);
    const stat = flags === undefined ? undefined : statOf(pid);
    if (flags === undefined || stat === undefined || stat.state === 'Z') return [];
    return [{ pid, start: stat.start, session: stat.session, isAppending: (flags & APPENDING) !== 0 }];
  });
}

/** asm-generic/fcntl.h, O_APPEND. */
const APPENDING = 0o2000;

/** How a process has opened the file that it has locked (proc(5), fdinfo); undefined if it has not. */
function lockedFlags(pid: number, path: string): number | undefined {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch {
    return undefined;
  }
  for (const name of names) {
    if (readlinkIfAny(`/proc/${pid}/fd/${name}`) !== path) continue;
    const info = readIfAny(`/proc/${pid}/fdinfo/${name}`);
    if (/^lock:.*\bFLOCK\b/m.test(info)) return Number.parseInt(/^flags:\s*(\d+)/m.exec(info)?.[1] ?? '0', 8);
  }
  return undefined;
}

function readIfAny(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

function readlinkIfAny(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** The short name (comm) of a process; empty if it is gone. */
export function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return '';
  }
}

/** The start time of whatever has this pid, even a zombie; undefined if nothing has. */
export function startOf(pid: number): string | undefined {
  return statOf(pid)?.start;
}

/** Whether it has ended, but its parent has not collected its exit status. */
export function isZombie(pid: number): boolean {
  return statOf(pid)?.state === 'Z';
}

/** The user of a process (proc(5), the real uid); undefined if it is gone. */
export function userOf(pid: number): number | undefined {
  const uid = /^Uid:\s*(\d+)/m.exec(readIfAny(`/proc/${pid}/status`))?.[1];
  return uid === undefined ? undefined : Number(uid);
}

/** Milliseconds since the boot, also while the machine was suspended, whatever the clock was set to. */
export function uptimeMs(): number {
  return Number(readIfAny('/proc/uptime').split(' ')[0]) * 1000;
}

/**
 * Milliseconds since a process with this start time began, whatever the clock was set to. Undefined if /proc/uptime is
 * not the kernel's own (LXC).
 */
export function ageMs(start: string): number | undefined {
  // USER_HZ: Linux always reports 100 clock ticks per second.
  const age = uptimeMs() - Number(start) * 10;
  return age >= 0 ? age : undefined;
}

/**
 * When a process with this start time began, in milliseconds since 1970 by the current clock, which may have been set since.
 * Undefined if /proc/uptime is not the kernel's own (LXC).
 */
export function beganAt(start: string): number | undefined {
  const age = ageMs(start);
  return age === undefined ? undefined : Math.round(Date.now() - age);
}

/** The arguments of a process; empty if it is gone or a kernel thread. */
export function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** The kernel's id of this boot. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Sends a signal to the identified process; returns false if it is gone. */
export function signalProcess(target: ProcessId, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch {
    return false;
  }
}
