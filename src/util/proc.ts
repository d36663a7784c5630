/** Processes as Linux shows them in /proc: a pid is only a name together with its start time. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessId {
  pid: number;
  /** Field 22 of /proc/PID/stat, clock ticks since boot (proc(5)). */
  start: string;
}

interface Stat {
  ppid: number;
  state: string;
  start: string;
}

function statOf(pid: number): Stat | undefined {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The name in parentheses may hold blanks and parentheses: count from the last ")".
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, ppid, start] = [fields[0], fields[1], fields[19]];
  if (state === undefined || ppid === undefined || start === undefined) return undefined;
  return { state, ppid: Number(ppid), start };
}

/** The process with this pid as it is now; undefined when there is none or only its zombie. */
export function identify(pid: number): ProcessId | undefined {
  const stat = statOf(pid);
  return stat === undefined || stat.state === 'Z' || stat.state === 'X'
    ? undefined
    : { pid, start: stat.start };
}

/** Whether it is the very process that was identified, not a later one with its pid. */
export function isAlive(process: ProcessId): boolean {
  return identify(process.pid)?.start === process.start;
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** All living descendants of a process, nearest first, without the process itself. */
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

/** The living processes that have `path` open. Only root sees those of others. */
export function holdersOf(path: string): ProcessId[] {
  return allPids().flatMap((pid) => {
    let open: string[];
    try {
      open = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkIfAny(`/proc/${pid}/fd/${fd}`));
    } catch {
      return [];
    }
    const process = open.includes(path) ? identify(pid) : undefined;
    return process === undefined ? [] : [process];
  });
}

function readlinkIfAny(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** The short name (comm) of a process; empty when it is gone. */
export function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trimEnd();
  } catch {
    return '';
  }
}

/** The arguments of a process; empty when it is gone or a kernel thread. */
export function argumentsOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
  } catch {
    return [];
  }
}

/** The kernel's name for this boot. */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** Sends a signal to the very process that was identified; false when it is gone. */
export function signalProcess(target: ProcessId, signal: NodeJS.Signals): boolean {
  if (!isAlive(target)) return false;
  try {
    process.kill(target.pid, signal);
    return true;
  } catch {
    return false;
  }
}
